#include "core/restore/wal_scan.h"

#include <gtest/gtest.h>

#include <cstring>

#include "core/restore/target_proof.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

constexpr uint64_t kMb = kRestoreSegmentSize;
constexpr size_t kPage = 8192;

/// Writes WAL of two segments as a server would: pages with headers, records that run on across them.
class WalWriter {
public:
    WalWriter(uint64_t first_segment, size_t segments) : start_(first_segment * kMb), wal_(segments * kMb, std::byte{0}) {}

    /// Write a record with this main data; returns its position.
    uint64_t record(uint8_t resource_manager, uint8_t info, uint32_t xid, ByteView main_data) {
        Bytes bytes(24, std::byte{0});
        const bool is_short = main_data.size() < 256;
        bytes.push_back(std::byte{static_cast<unsigned char>(is_short ? 255 : 254)});
        bytes.resize(bytes.size() + (is_short ? 1 : 4));
        if (is_short)
            bytes.back() = static_cast<std::byte>(main_data.size());
        else
            store_le<uint32_t>(bytes.data() + 25, static_cast<uint32_t>(main_data.size()));
        bytes.insert(bytes.end(), main_data.begin(), main_data.end());
        store_le<uint32_t>(bytes.data(), static_cast<uint32_t>(bytes.size()));
        store_le<uint32_t>(bytes.data() + 4, xid);
        store_le<uint64_t>(bytes.data() + 8, previous_);
        bytes[16] = std::byte{info};
        bytes[17] = std::byte{resource_manager};
        position_ = (position_ + 7) & ~size_t{7};
        enter_page(0);
        previous_ = start_ + position_;
        write(bytes);
        return previous_;
    }

    uint64_t position() const { return start_ + position_; }
    ByteView segment(size_t number) const { return ByteView(wal_).subspan(number * kMb, kMb); }

private:
    void enter_page(uint32_t remaining) {
        if (position_ % kPage != 0) return;
        const bool is_long = position_ % kMb == 0;
        std::byte* page = wal_.data() + position_;
        store_le<uint16_t>(page, wal_page_magic_of(kRestoreIdentity.major));
        store_le<uint16_t>(page + 2, static_cast<uint16_t>((remaining != 0 ? 1 : 0) | (is_long ? 2 : 0)));
        store_le<uint32_t>(page + 4, 1);
        store_le<uint64_t>(page + 8, start_ + position_);
        store_le<uint32_t>(page + 16, remaining);
        if (is_long) {
            store_le<uint64_t>(page + 24, kRestoreIdentity.system_identifier);
            store_le<uint32_t>(page + 32, kRestoreSegmentSize);
            store_le<uint32_t>(page + 36, kPage);
        }
        position_ += is_long ? 40 : 24;
    }
    void write(ByteView bytes) {
        while (!bytes.empty()) {
            enter_page(static_cast<uint32_t>(bytes.size()));
            const size_t piece = std::min(bytes.size(), kPage - position_ % kPage);
            std::memcpy(wal_.data() + position_, bytes.data(), piece);
            position_ += piece;
            bytes = bytes.subspan(piece);
        }
    }

    uint64_t start_;
    Bytes wal_;
    size_t position_ = 0;
    uint64_t previous_ = 0;
};

constexpr uint8_t kXlog = 0, kXact = 1, kRestorePointInfo = 0x70, kCommitInfo = 0x00, kNoopInfo = 0x20;

Bytes restore_point(const std::string& name) {
    Bytes data(8 + 64, std::byte{0});
    std::memcpy(data.data() + 8, name.data(), name.size());
    return data;
}

Bytes commit_at(int64_t postgres_time) {
    Bytes data(8);
    store_le(data.data(), postgres_time);
    return data;
}

/// Segments 2 and 3: transactions 7 and 8, then filler up to shortly before the end of segment 2, then what the test adds.
class ProveTarget : public ::testing::Test {
protected:
    ProveTarget() : writer_(2, 2), storage_(clock_) {
        repositories_.push_back(open_restore_repository(storage_));
        writer_.record(kXact, kCommitInfo, 7, commit_at(1'000'000));
        writer_.record(kXact, kCommitInfo, 8, commit_at(2'000'000));
        fill_up_to(3 * kMb - 64);
    }

    void fill_up_to(uint64_t position) {
        while (writer_.position() + 9000 < position) writer_.record(kXlog, kNoopInfo, 0, Bytes(200, std::byte{1}));
        while (writer_.position() + 48 < position) writer_.record(kXlog, kNoopInfo, 0, Bytes(6, std::byte{1}));
    }
    /// Put both segments into the repository. The second one has at least its header, as any segment has.
    void store() {
        if (writer_.position() < 3 * kMb) writer_.record(kXlog, kNoopInfo, 0, Bytes(100, std::byte{1}));
        const std::string first = to_string(WalSegmentName{1, 2}, kRestoreSegmentSize), second = to_string(WalSegmentName{1, 3}, kRestoreSegmentSize);
        put_wal(repositories_[0], first, writer_.segment(0));
        if (!second_is_tail_) return put_wal(repositories_[0], second, writer_.segment(1));
        const auto end = static_cast<uint32_t>(writer_.position() - 3 * kMb);
        const BuiltObject tail = build_object(ObjectKind::kWalTail, kRestoreIdentity.system_identifier, writer_.segment(1).first(end), {Codec::kZstd, 1});
        static_cast<void>(repositories_[0].store(repositories_[0].layout().wal_tail(second, 0, end), tail, ObjectKind::kWalTail).ok());
    }
    Result<TargetProof> prove(RecoveryTarget target, uint64_t stop_lsn = 2 * kMb) {
        store();
        WalInventory wal(kRestoreSegmentSize);
        wal.add(1, 2, second_is_tail_ ? 2 : 3);
        if (second_is_tail_) wal.add_tail({1, 3}, {writer_.position()});
        const TimelineHistory history(1);
        const Candidate candidate{{test_summary("a", 1, 2 * kMb, stop_lsn), 0}, history, reach_from(wal, history, {2 * kMb})};
        RestoreProgress progress;
        return prove_target(repositories_, {&candidate, 1}, target, TargetCheck::kScanWal, 2, progress, {});
    }
    static RecoveryTarget name(std::string text) { return {.kind = TargetKind::kName, .name = std::move(text)}; }

    SystemClock clock_;
    WalWriter writer_;
    MemoryStorage storage_;
    std::vector<Repository> repositories_;
    bool second_is_tail_ = false;  ///< segment 3 was not finished
};

TEST_F(ProveTarget, FindsARestorePointThatRunsAcrossTwoSegments) {
    const uint64_t position = writer_.record(kXlog, kRestorePointInfo, 0, restore_point("before upgrade"));
    ASSERT_LT(position, 3 * kMb);
    ASSERT_GT(writer_.position(), 3 * kMb);
    const auto proof = prove(name("before upgrade"));
    ASSERT_TRUE(proof.ok()) << proof.error().to_string();
    EXPECT_EQ(proof->lsn, (Lsn{position}));
}

TEST_F(ProveTarget, RefusesARestorePointThatIsNotThere) {
    EXPECT_EQ(prove(name("nope")).error().code(), ErrorCode::unreachable_target);
}

TEST_F(ProveTarget, RefusesARestorePointBeforeTheBackupIsConsistent) {
    const uint64_t position = writer_.record(kXlog, kRestorePointInfo, 0, restore_point("early"));
    EXPECT_TRUE(prove(name("early"), position).ok());
    EXPECT_EQ(prove(name("early"), position + 1).error().code(), ErrorCode::unreachable_target);
}

TEST_F(ProveTarget, FindsATransaction) {
    const auto proof = prove({.kind = TargetKind::kXid, .xid = (uint64_t{1} << 32) + 8});
    ASSERT_TRUE(proof.ok()) << proof.error().to_string();
    EXPECT_EQ(proof->time, from_postgres_timestamp(2'000'000));
    EXPECT_EQ(prove({.kind = TargetKind::kXid, .xid = 9}).error().code(), ErrorCode::unreachable_target);
}

TEST_F(ProveTarget, WantsATransactionThatEndedAfterATargetTime) {
    RecoveryTarget target{.kind = TargetKind::kTime, .time = from_postgres_timestamp(1'999'999)};
    EXPECT_TRUE(prove(target).ok());
    target.time = from_postgres_timestamp(2'000'000);
    const auto beyond = prove(target);
    ASSERT_FALSE(beyond.ok());
    EXPECT_EQ(beyond.error().code(), ErrorCode::unreachable_target);
    EXPECT_NE(beyond.error().detail().find(format_time(from_postgres_timestamp(2'000'000))), std::string::npos);
    target.bound = TargetBound::kExclusive;
    EXPECT_TRUE(prove(target).ok());
}

TEST_F(ProveTarget, WantsARecordAtOrAfterATargetLsnAndNamesTheLastOne) {
    const uint64_t last = writer_.record(kXlog, kNoopInfo, 0, Bytes(100, std::byte{1}));
    const RecoveryTarget target{.kind = TargetKind::kLsn, .lsn = {last}};
    EXPECT_EQ(prove(target)->lsn, (Lsn{last}));
    const auto beyond = prove({.kind = TargetKind::kLsn, .lsn = {last + 1}});
    ASSERT_FALSE(beyond.ok());
    EXPECT_NE(beyond.error().detail().find(to_string(Lsn{last})), std::string::npos) << beyond.error().detail();
}

TEST_F(ProveTarget, ReadsTheTailOfTheLastSegment) {
    second_is_tail_ = true;
    // One that runs on from the whole segment into the tail, and one in the tail.
    const uint64_t crossing = writer_.record(kXlog, kRestorePointInfo, 0, restore_point("crossing"));
    ASSERT_LT(crossing, 3 * kMb);
    const uint64_t inside = writer_.record(kXact, kCommitInfo, 10, commit_at(4'000'000));
    EXPECT_EQ(prove(name("crossing"))->lsn, (Lsn{crossing}));
    EXPECT_EQ(prove({.kind = TargetKind::kXid, .xid = 10})->lsn, (Lsn{inside}));
    EXPECT_TRUE(prove({.kind = TargetKind::kTime, .time = from_postgres_timestamp(3'999'999)}).ok());
    EXPECT_EQ(prove({.kind = TargetKind::kTime, .time = from_postgres_timestamp(4'000'000)}).error().code(), ErrorCode::unreachable_target);
    EXPECT_EQ(prove({.kind = TargetKind::kLsn, .lsn = {inside}})->lsn, (Lsn{inside}));
    EXPECT_FALSE(prove({.kind = TargetKind::kLsn, .lsn = {inside + 1}}).ok());
}

}  // namespace
}  // namespace steward
