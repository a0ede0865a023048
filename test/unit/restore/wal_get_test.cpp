#include "core/restore/wal_get.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/temporary_directory.h"
#include "core/archive/assembled_segment.h"
#include "restore/restore_fixture.h"
#include "storage/faulty_storage.h"

namespace steward {
namespace {

class GetWal : public ::testing::Test {
protected:
    GetWal() : storage_(clock_), second_storage_(clock_), faulty_(storage_), spool_(directory_.path(), kRestoreSegmentSize) {
        repositories_.push_back(open_restore_repository(faulty_));
        repositories_.push_back(open_restore_repository(second_storage_));
    }

    static std::string name(uint64_t number, TimelineId timeline = 1) { return to_string(WalSegmentName{timeline, number}, kRestoreSegmentSize); }
    std::filesystem::path destination() const { return directory_.path() / "RECOVERYXLOG"; }
    Result<WalGetOutcome> get(const std::string& file, const WalGetOptions& options = {}) {
        return get_wal(repositories_, file, destination(), spool_, options);
    }
    void put_tail(const std::string& file, uint32_t begin, uint32_t end) {
        const BuiltObject object =
            build_object(ObjectKind::kWalTail, kRestoreIdentity.system_identifier, Bytes(end - begin, std::byte{'t'}), {Codec::kZstd, 1});
        ASSERT_TRUE(repositories_[0].store(repositories_[0].layout().wal_tail(file, begin, end), object, ObjectKind::kWalTail).ok());
    }
    /// How many bytes of WAL were delivered.
    size_t delivered() const {
        const Bytes content = read_file(destination()).value();
        EXPECT_EQ(content.size(), kRestoreSegmentSize);
        return static_cast<size_t>(std::ranges::count(content, std::byte{'t'}) - (is_marked_as_assembled(ByteView(content).last(kAssembledMarkSize)) ? 2 : 0));
    }
    bool spooled(uint64_t number, TimelineId timeline = 1) const { return spool_.has({timeline, number}); }

    SystemClock clock_;
    MemoryStorage storage_;
    MemoryStorage second_storage_;
    FaultyStorage faulty_;
    std::vector<Repository> repositories_;
    TemporaryDirectory directory_;
    WalSpool spool_;
};

TEST_F(GetWal, DeliversASegmentWhole) {
    put_wal(repositories_[0], name(5), empty_segment());
    ASSERT_EQ(get(name(5)).value(), WalGetOutcome::kDelivered);
    EXPECT_EQ(read_file(destination()).value(), empty_segment());
}

TEST_F(GetWal, TakesTheSecondRepositoryWhenTheFirstFails) {
    put_wal(repositories_[1], name(5), empty_segment());
    faulty_.fail_always(StorageOperation::kRead, Error(ErrorCode::network, "no route"));
    EXPECT_EQ(get(name(5)).value(), WalGetOutcome::kDelivered);
}

TEST_F(GetWal, SaysNotFoundOnlyWhenEveryRepositorySaidSo) {
    EXPECT_EQ(get(name(5)).value(), WalGetOutcome::kNotFound);
    faulty_.fail_always(StorageOperation::kRead, Error(ErrorCode::network, "no route"));
    const auto outcome = get(name(5));
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code(), ErrorCode::network);
    EXPECT_FALSE(std::filesystem::exists(destination()));
}

TEST_F(GetWal, RefusesASegmentOfAnotherSize) {
    put_wal(repositories_[0], name(5), Bytes(100, std::byte{1}));
    const auto outcome = get(name(5));
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code(), ErrorCode::corrupt_object);
    EXPECT_FALSE(std::filesystem::exists(destination()));
}

TEST_F(GetWal, DeliversHistoryFilesWithoutTouchingTheSpool) {
    put_wal(repositories_[0], "00000002.history", as_bytes("1\t0/5000000\ttest\n"), ObjectKind::kTimelineHistory);
    EXPECT_EQ(get("00000002.history").value(), WalGetOutcome::kDelivered);
    EXPECT_EQ(get("00000003.history").value(), WalGetOutcome::kNotFound);
    EXPECT_FALSE(std::filesystem::exists(spool_.directory()));
}

TEST_F(GetWal, RefusesNamesThatAreNoWal) { EXPECT_EQ(get("../pg_control").error().code(), ErrorCode::invalid_argument); }

TEST_F(GetWal, PrefetchesTheWindowAndServesFromIt) {
    for (uint64_t number = 5; number <= 12; ++number) put_wal(repositories_[0], name(number), empty_segment(static_cast<char>('a' + number)));
    ASSERT_TRUE(get(name(5)).ok());
    ASSERT_TRUE(prefetch_wal(spool_, repositories_, {.segments = 4, .workers = 2}, {}).ok());
    EXPECT_FALSE(spooled(5));
    for (uint64_t number = 6; number <= 9; ++number) EXPECT_TRUE(spooled(number)) << number;
    EXPECT_FALSE(spooled(10));

    faulty_.fail_always(StorageOperation::kRead, Error(ErrorCode::network, "no route"));
    ASSERT_EQ(get(name(6)).value(), WalGetOutcome::kDelivered);
    EXPECT_EQ(read_file(destination()).value(), empty_segment(static_cast<char>('a' + 6)));
}

TEST_F(GetWal, DropsWhatIsBehindOrOfAnotherTimeline) {
    ASSERT_TRUE(spool_.advance({1, 1}).ok());
    for (uint64_t number = 2; number <= 6; ++number) ASSERT_TRUE(spool_.add({1, number}, empty_segment()).ok());
    ASSERT_TRUE(spool_.add({2, 6}, empty_segment()).ok());
    ASSERT_TRUE(get(name(4)).ok());
    EXPECT_FALSE(spooled(2));
    EXPECT_FALSE(spooled(3));
    EXPECT_TRUE(spooled(5));
    EXPECT_FALSE(spooled(6, 2));
}

TEST_F(GetWal, DoesNotTrustASpooledFileThatIsCutShort) {
    put_wal(repositories_[0], name(5), empty_segment());
    ASSERT_TRUE(spool_.advance({1, 4}).ok());
    ASSERT_TRUE(spool_.add({1, 5}, Bytes(10, std::byte{0})).ok());
    ASSERT_TRUE(get(name(5)).ok());
    EXPECT_EQ(read_file(destination()).value(), empty_segment());
}

TEST_F(GetWal, LetsOnePrefetcherRunAtATime) {
    put_wal(repositories_[0], name(6), empty_segment());
    ASSERT_TRUE(spool_.advance({1, 5}).ok());
    const auto held = spool_.lock();
    ASSERT_TRUE(held.ok() && held->has_value());
    ASSERT_TRUE(prefetch_wal(spool_, repositories_, {}, {}).ok());
    EXPECT_FALSE(spooled(6));
}

TEST_F(GetWal, ClearsTheSpoolAtTheEndOfTheWal) {
    put_wal(repositories_[0], name(5), empty_segment());
    ASSERT_TRUE(get(name(5)).ok());
    ASSERT_EQ(get(name(6)).value(), WalGetOutcome::kNotFound);
    EXPECT_FALSE(std::filesystem::exists(spool_.directory()));
}

TEST_F(GetWal, DeliversTheTailOfASegmentThatWasNeverFinishedAndMarksIt) {
    put_tail(name(5), 0, 9000);
    ASSERT_EQ(get(name(5)).value(), WalGetOutcome::kDeliveredTail);
    EXPECT_EQ(delivered(), 9000u);
    EXPECT_TRUE(is_marked_as_assembled(ByteView(read_file(destination()).value()).last(kAssembledMarkSize)));
}

TEST_F(GetWal, NeverKeepsATailForALaterRequest) {
    put_wal(repositories_[0], name(4), empty_segment());
    put_tail(name(5), 0, 9000);
    ASSERT_TRUE(get(name(4)).ok());
    ASSERT_TRUE(prefetch_wal(spool_, repositories_, {.segments = 4, .workers = 2}, {}).ok());
    EXPECT_FALSE(spooled(5));
    ASSERT_EQ(get(name(5)).value(), WalGetOutcome::kDeliveredTail);
    put_tail(name(5), 9000, 20000);
    ASSERT_EQ(get(name(5)).value(), WalGetOutcome::kDeliveredTail);
    EXPECT_EQ(delivered(), 20000u);
    put_wal(repositories_[0], name(5), empty_segment());
    ASSERT_EQ(get(name(5)).value(), WalGetOutcome::kDelivered);
    EXPECT_EQ(read_file(destination()).value(), empty_segment());
}

TEST_F(GetWal, DeliversNoTailAndProvesNothingWhileARepositoryIsUnavailable) {
    put_tail(name(5), 0, 9000);
    const WalGetOptions options{Error(ErrorCode::network, "no route"), std::nullopt};
    EXPECT_EQ(get(name(5), options).error().code(), ErrorCode::network);
    EXPECT_EQ(get(name(6), options).error().code(), ErrorCode::network);
    EXPECT_EQ(get("00000002.history", options).error().code(), ErrorCode::network);
    EXPECT_FALSE(std::filesystem::exists(destination()));
    put_wal(repositories_[1], name(5), empty_segment());
    EXPECT_EQ(get(name(5), options).value(), WalGetOutcome::kDelivered);
}

TEST_F(GetWal, DeliversOfAnOldTimelinesTailOnlyWhatTheFollowedOneCameFrom) {
    put_tail(name(5), 0, 9000);
    put_tail(name(6), 0, 9000);
    const std::string fork = to_string(start_lsn(5, kRestoreSegmentSize) + 4000);
    put_wal(repositories_[0], "00000002.history", as_bytes("1\t" + fork + "\ttest\n"), ObjectKind::kTimelineHistory);
    ASSERT_EQ(get(name(5)).value(), WalGetOutcome::kDeliveredTail);
    EXPECT_EQ(delivered(), 4000u);
    EXPECT_EQ(get(name(6)).value(), WalGetOutcome::kNotFound);
    ASSERT_EQ(get(name(5), {std::nullopt, 1}).value(), WalGetOutcome::kDeliveredTail);
    EXPECT_EQ(delivered(), 9000u);
    EXPECT_EQ(get(name(6), {std::nullopt, 1}).value(), WalGetOutcome::kDeliveredTail);
}

}  // namespace
}  // namespace steward
