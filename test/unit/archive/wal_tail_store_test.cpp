#include "core/archive/wal_tail_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <random>

#include "base/temporary_directory.h"
#include "core/base/file.h"
#include "repository/memory_repository.h"

namespace steward {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint64_t kMb = 1024 * 1024;

/// Keeps the names of events.
class EventLog final : public Log {
public:
    void write(const LogRecord& record) override { events.push_back(record.event); }
    std::vector<std::string> events;
};

/// A primary's pg_wal with segments of random content, and one repository. Segments are numbered from 1.
class WalTailStoring : public testing::Test {
protected:
    WalTailStoring() : repository_(store_.claim(kTestIdentity)) {
        std::filesystem::create_directories(status_directory());
        for (uint64_t number = 1; number <= 4; ++number) write(number, content_of(number));
        restart();
    }

    std::filesystem::path pg_wal() const { return directory_.path() / "pg_wal"; }
    std::filesystem::path status_directory() const { return pg_wal() / "archive_status"; }
    static std::string name(uint64_t number, TimelineId timeline = 1) { return to_string(WalSegmentName{timeline, number}, kMb); }
    static Bytes content_of(uint64_t number, unsigned seed = 0) {
        std::mt19937 random(static_cast<unsigned>(number) + seed * 100);
        Bytes content(kMb);
        for (std::byte& byte : content) byte = static_cast<std::byte>(random());
        return content;
    }
    void write(uint64_t number, ByteView content, TimelineId timeline = 1) const {
        std::ofstream(pg_wal() / name(number, timeline), std::ios::binary).write(as_text(content).data(), static_cast<std::streamsize>(content.size()));
    }
    void mark_ready(uint64_t number) const { std::ofstream(status_directory() / (name(number) + ".ready")); }
    void unmark(uint64_t number) const { std::filesystem::remove(status_directory() / (name(number) + ".ready")); }
    void store_whole(uint64_t number) const {
        const BuiltObject object = build_object(ObjectKind::kWalSegment, kTestIdentity.system_identifier, content_of(number), {Codec::kNone, 0});
        ASSERT_TRUE(repository_.store(repository_.layout().wal(name(number)), object, ObjectKind::kWalSegment).ok());
    }
    /// A new engine, which knows nothing.
    void restart() { tail_.emplace(directory_.path(), repository_, Compression{Codec::kNone, 0}, store_.clock, log_); }

    Result<TailOutcome> advance(uint64_t number, uint32_t offset, TimelineId timeline = 1) {
        return tail_->advance({timeline, start_lsn(number, kMb) + offset});
    }
    void caught_up(uint64_t number, uint32_t offset, TimelineId timeline = 1) {
        const auto outcome = advance(number, offset, timeline);
        ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
        EXPECT_EQ(*outcome, TailOutcome::kCaughtUp);
        EXPECT_EQ(tail_->reached(), start_lsn(number, kMb) + offset);
    }
    std::vector<TailPiece> pieces(uint64_t number, TimelineId timeline = 1) const { return list_tail_pieces(repository_, name(number, timeline)).value(); }
    /// What the pieces hold together.
    Bytes tail_content(uint64_t number) const {
        Bytes content;
        for (const TailPiece& piece : chain_of(pieces(number))) {
            const Bytes part = repository_.load(repository_.layout().wal_tail(name(number), piece.begin, piece.end), ObjectKind::kWalTail).value();
            content.insert(content.end(), part.begin(), part.end());
        }
        return content;
    }
    static Bytes beginning(Bytes content, size_t length) {
        content.resize(length);
        return content;
    }

    const TemporaryDirectory directory_;
    MemoryStore store_;
    Repository repository_;
    EventLog log_;
    std::optional<WalTailStore> tail_;
};

TEST_F(WalTailStoring, StoresWhatCameSinceLastTimeUpToTheFlushPosition) {
    caught_up(1, 100);
    caught_up(1, 5000);
    caught_up(1, 5000);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 100}, TailPiece{100, 5000}));
    EXPECT_EQ(tail_content(1), beginning(content_of(1), 5000));
    EXPECT_EQ(tail_->stored_at(), store_.clock.now());
}

TEST_F(WalTailStoring, StoresNothingOfASegmentThatHasNotBegun) {
    caught_up(1, 0);
    EXPECT_THAT(pieces(1), IsEmpty());
    EXPECT_EQ(store_.faulty.calls(StorageOperation::kPut), 1) << "the claim";
}

TEST_F(WalTailStoring, GoesOnAfterARestart) {
    caught_up(1, 100);
    caught_up(1, 300);
    restart();
    caught_up(1, 900);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 100}, TailPiece{100, 300}, TailPiece{300, 900}));
    EXPECT_THAT(log_.events, IsEmpty());
}

TEST_F(WalTailStoring, BeginsAnewWherePiecesDisagreeWithTheFile) {
    caught_up(1, 100);
    caught_up(1, 300);
    Bytes other = content_of(1);
    other[200] ^= std::byte{1};
    write(1, other);
    restart();
    caught_up(1, 900);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 900}));
    EXPECT_EQ(tail_content(1), beginning(other, 900));
    EXPECT_THAT(log_.events, ElementsAre("tail_replaced"));
}

TEST_F(WalTailStoring, BeginsAnewWherePiecesAreAheadOfTheServer) {
    caught_up(1, 900);
    restart();
    caught_up(1, 300);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 300}));
}

TEST_F(WalTailStoring, BeginsAnewWhereAPieceIsDamaged) {
    caught_up(1, 300);
    store_.damage(repository_.layout().wal_tail(name(1), 0, 300), 40);
    restart();
    caught_up(1, 900);
    EXPECT_EQ(tail_content(1), beginning(content_of(1), 900));
}

TEST_F(WalTailStoring, MergesSmallPiecesAtABoundedCost) {
    constexpr uint32_t kStep = 100, kSteps = 16 * 16 * 2 + 3;
    for (uint32_t step = 1; step <= kSteps; ++step) caught_up(1, step * kStep);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 25600}, TailPiece{25600, 51200}, TailPiece{51200, 51300}, TailPiece{51300, 51400}, TailPiece{51400, 51500}));
    EXPECT_EQ(tail_content(1), beginning(content_of(1), kSteps * kStep));
    // Each byte is stored once, and merged at most twice here: log16 of the steps.
    EXPECT_EQ(store_.faulty.calls(StorageOperation::kPut), 1 + static_cast<int>(kSteps) + 2 * 16 + 2);
}

TEST_F(WalTailStoring, RemovesWhatAMergeLeftWhenItWasKilled) {
    for (uint32_t step = 1; step <= 15; ++step) caught_up(1, step * 100);
    store_.faulty.fail_always(StorageOperation::kRemove, Error(ErrorCode::network, "no route"));
    EXPECT_FALSE(advance(1, 1600).ok());
    EXPECT_EQ(pieces(1).size(), 17u);
    store_.faulty.heal();
    restart();
    caught_up(1, 1700);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 1600}, TailPiece{1600, 1700}));
    EXPECT_EQ(tail_content(1), beginning(content_of(1), 1700));
}

TEST_F(WalTailStoring, WaitsForTheSegmentBeforeAndThenRemovesItsPieces) {
    caught_up(1, 5000);
    mark_ready(1);
    EXPECT_EQ(advance(2, 700).value(), TailOutcome::kWaiting);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 5000})) << "never before the whole segment is durable";
    EXPECT_THAT(pieces(2), IsEmpty()) << "behind a hole it would be worth nothing";
    EXPECT_EQ(tail_->reached(), start_lsn(1, kMb) + 5000);
    store_whole(1);
    caught_up(2, 700);
    EXPECT_THAT(pieces(1), IsEmpty());
    EXPECT_THAT(pieces(2), ElementsAre(TailPiece{0, 700}));
}

TEST_F(WalTailStoring, WaitsAfterARestartForWhatIsMarkedReady) {
    mark_ready(1);
    mark_ready(2);
    EXPECT_EQ(advance(3, 700).value(), TailOutcome::kWaiting);
    store_whole(1);
    EXPECT_EQ(advance(3, 700).value(), TailOutcome::kWaiting);
    EXPECT_EQ(tail_->reached(), start_lsn(2, kMb));
    store_whole(2);
    caught_up(3, 700);
}

TEST_F(WalTailStoring, WaitsForTheHistoryOfANewTimeline) {
    write(1, content_of(1), 2);
    const std::filesystem::path mark = status_directory() / "00000002.history.ready";
    std::ofstream{mark};
    EXPECT_EQ(advance(1, 600, 2).value(), TailOutcome::kWaiting);
    EXPECT_THAT(pieces(1, 2), IsEmpty());
    std::filesystem::remove(mark);
    caught_up(1, 600, 2);
}

TEST_F(WalTailStoring, GoesOnBehindASegmentThatWasGivenUpAndKeepsItsPieces) {
    caught_up(1, 5000);
    mark_ready(1);
    EXPECT_EQ(advance(2, 700).value(), TailOutcome::kWaiting);
    unmark(1);
    caught_up(2, 700);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 5000}));
}

TEST_F(WalTailStoring, SweepsAtTheStartWhatIsStoredWholeAndNothingElse) {
    caught_up(1, 5000);
    write(1, content_of(1), 2);
    restart();
    caught_up(1, 600, 2);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 5000})) << "the end of timeline 1 is stored nowhere else";
    store_whole(1);
    restart();
    caught_up(1, 700, 2);
    EXPECT_THAT(pieces(1), IsEmpty());
    EXPECT_THAT(pieces(1, 2), ElementsAre(TailPiece{0, 600}, TailPiece{600, 700}));
}

TEST_F(WalTailStoring, StoresNothingOfAFileThatTheServerHasRecycled) {
    std::filesystem::remove(pg_wal() / name(1));
    EXPECT_EQ(advance(1, 700).value(), TailOutcome::kWaiting);
    EXPECT_THAT(pieces(1), IsEmpty());
}

TEST_F(WalTailStoring, TriesAgainAfterAFailureAlsoWhenOnlyTheAnswerWasLost) {
    store_.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::network, "no route"), Fault::kLostAnswer);
    EXPECT_EQ(advance(1, 700).error().code(), ErrorCode::network);
    store_.faulty.heal();
    caught_up(1, 900);
    EXPECT_THAT(pieces(1), ElementsAre(TailPiece{0, 700}, TailPiece{700, 900}));
}

}  // namespace
}  // namespace steward
