#include "core/proof/verify.h"

#include <gtest/gtest.h>

#include "core/postgres/wal_name.h"
#include "core/repository/verification_record.h"
#include "core/repository/gap_ledger.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kMb = kRestoreSegmentSize;

class ClockOfVerification final : public Clock {
public:
    TimePoint now() const override { return time; }
    TimePoint time{std::chrono::hours(24 * 365 * 50)};
};

/// Fails puts, as a read-only mount does, and asks to stop after so many reads of large objects.
class StorageOfVerification final : public Storage {
public:
    explicit StorageOfVerification(Storage& inner) : inner_(inner) {}
    StorageCapabilities capabilities() const override { return inner_.capabilities(); }
    std::string url() const override { return inner_.url(); }
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override {
        if (read_only) return Error(ErrorCode::permission_denied, "could not store: Read-only file system").object(std::string(key));
        return inner_.put(key, parts, mode);
    }
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override {
        if (gone_at_read == key) static_cast<void>(inner_.remove(key).ok());
        if (stop_at_read == key) stop.request_stop();
        return inner_.read(key, offset, length);
    }
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override { return inner_.stat(key); }
    Result<ListPage> list(std::string_view prefix, std::string_view page, size_t limit) override { return inner_.list(prefix, page, limit); }
    Result<void> remove(std::string_view key) override { return inner_.remove(key); }
    Result<void> remove_stale_uploads(TimePoint older_than) override { return inner_.remove_stale_uploads(older_than); }

    bool read_only = false;
    std::string gone_at_read;
    std::string stop_at_read;
    CancelSource stop;

private:
    Storage& inner_;
};

class VerifyRepository : public ::testing::Test {
protected:
    VerifyRepository() : memory_(clock_), storage_(memory_), repository_(open_restore_repository(storage_)) {
        const BuiltObject pack = build_object(ObjectKind::kPack, kRestoreIdentity.system_identifier, empty_segment('p'), {Codec::kNone, 0});
        manifest_.summary = test_summary("a", 1, 2 * kMb + 40, 3 * kMb + 80);
        manifest_.packs = {{"set", 0, pack.plain_length, pack.size()}};
        static_cast<void>(repository_.store(pack_key(), pack, ObjectKind::kPack).ok());
        put_manifest();
        for (uint64_t number = 2; number <= 3; ++number) put_wal(repository_, name(number), empty_segment());
        clock_.time += 1h;
    }

    static std::string name(uint64_t number) { return to_string(WalSegmentName{1, number}, kRestoreSegmentSize); }
    std::string pack_key() const { return repository_.layout().pack("set", 0); }
    VerifyReport verify(VerifyOptions options = {}) {
        options.random = ++runs_;
        return verify_repository(repository_, options, clock_, progress_, storage_.stop.get_token()).value();
    }
    VerifyReport recheck() { return verify({.memory = VerifyMemory::kRenew}); }

    void put(const std::string& key, ByteView content, ObjectKind kind, Codec codec = Codec::kNone) {
        const BuiltObject object = build_object(kind, kRestoreIdentity.system_identifier, content, {codec, 1});
        ASSERT_TRUE(memory_.put(key, object.parts(), PutMode::kReplace).ok());
    }
    void put_manifest() { put(repository_.layout().manifest("a"), as_bytes(render_manifest(manifest_)), ObjectKind::kManifest, Codec::kZstd); }
    /// Without a change of size or, as long as the clock stands, of time: what a failing disk does.
    void flip(const std::string& key, size_t from_end = 1) {
        Bytes object = read_object(memory_, key, 1 << 30).value();
        object.at(object.size() - from_end) ^= std::byte{1};
        const ByteView parts[] = {object};
        ASSERT_TRUE(memory_.put(key, parts, PutMode::kReplace).ok());
    }
    void flip_at_the_same_time(const std::string& key, size_t from_end = 1) {
        const TimePoint now = std::exchange(clock_.time, memory_.stat(key).value()->modified);
        flip(key, from_end);
        clock_.time = now;
    }
    std::vector<std::string> keys(const std::string& prefix) {
        std::vector<std::string> found;
        EXPECT_TRUE(for_each_object(memory_, prefix, [&](const ObjectInfo& object) -> Result<void> {
            found.push_back(object.key);
            return {};
        }).ok());
        return found;
    }
    std::vector<std::string> records() { return keys(repository_.layout().verifications_prefix()); }

    void put_gap(Lsn begin, Lsn end, GapReason reason) {
        const std::string text = render_gap({1, begin, end, reason, clock_.time, ""}).dump();
        put(repository_.layout().gap(1, begin, end), as_bytes(text), ObjectKind::kGap);
    }

    /// One object of every kind there is.
    void put_all_kinds() {
        const Layout& layout = repository_.layout();
        put(layout.wal("00000002.history"), as_bytes("1\t0/500000\tno recovery target specified\n"), ObjectKind::kTimelineHistory);
        put(layout.wal(name(2) + ".00000028.backup"), as_bytes("START WAL LOCATION\n"), ObjectKind::kBackupHistory);
        put(layout.wal_tail(name(4), 0, 8192), Bytes(8192, std::byte{7}), ObjectKind::kWalTail);
        put(layout.restore_point(1, Lsn{3 * kMb}), as_bytes("{}"), ObjectKind::kRestorePoint);
        put_gap(Lsn{kMb}, Lsn{2 * kMb}, GapReason::kPruned);
        put(layout.pin("a"), as_bytes("{}"), ObjectKind::kPin);
        put(layout.lease("expire"), as_bytes("{}"), ObjectKind::kLease);
        put(layout.drill("20261120-a"), as_bytes("{}"), ObjectKind::kDrill);
    }

    ClockOfVerification clock_;
    RestoreProgress progress_;
    MemoryStorage memory_;
    StorageOfVerification storage_;
    Repository repository_;
    Manifest manifest_;
    uint64_t runs_ = 0;
};

TEST_F(VerifyRepository, FindsNothingWrongWhereNothingIs) {
    const VerifyReport report = verify();
    EXPECT_TRUE(report.problems.empty());
    EXPECT_EQ(report.objects, 5u);  // with the identity
    EXPECT_EQ(report.backups, 1u);
    EXPECT_FALSE(report.not_remembered);
}

TEST_F(VerifyRepository, NamesADamagedPackUnlessOnlyHeadsAreRead) {
    flip(pack_key());
    const VerifyReport report = verify();
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.problems[0].object(), pack_key());
    EXPECT_TRUE(verify({.depth = VerifyDepth::kQuick}).problems.empty());
}

TEST_F(VerifyRepository, NamesAPackThatABackupNeedsAndIsGone) {
    ASSERT_TRUE(memory_.remove(pack_key()).ok());
    const VerifyReport report = verify({.depth = VerifyDepth::kQuick});
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.problems[0].object(), pack_key());
}

TEST_F(VerifyRepository, NamesAPackThatAnsweredTheListingButNotTheRead) {
    storage_.gone_at_read = pack_key();
    const VerifyReport report = verify();
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.problems[0].object(), pack_key());
}

TEST_F(VerifyRepository, TakesAnObjectThatNoBackupNeedsAndIsRemovedMeanwhileForExpired) {
    put_wal(repository_, name(4), empty_segment());
    storage_.gone_at_read = repository_.layout().wal(name(4));
    EXPECT_TRUE(verify().problems.empty());
}

TEST_F(VerifyRepository, NamesWalThatABackupNeedsAndIsGone) {
    ASSERT_TRUE(memory_.remove(repository_.layout().wal(name(3))).ok());
    const VerifyReport report = verify();
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.problems[0].code(), ErrorCode::missing_wal);
    EXPECT_EQ(report.problems[0].object(), name(3));
}

TEST_F(VerifyRepository, NamesAHoleInTheWalUnlessTheLedgerSaysThatItWasMadeOnPurpose) {
    put_wal(repository_, name(6), empty_segment());
    EXPECT_TRUE(verify().problems.empty()) << "what follows may have overtaken what is missing";
    clock_.time += 1h;
    const VerifyReport report = verify();
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.problems[0].object(), name(4));
    put_gap(Lsn{4 * kMb}, Lsn{6 * kMb}, GapReason::kMissing);
    EXPECT_EQ(verify().problems.size(), 1u);
    put_gap(Lsn{4 * kMb}, Lsn{6 * kMb}, GapReason::kDropped);
    EXPECT_TRUE(verify().problems.empty());
}

TEST_F(VerifyRepository, NamesAPackWhoseContentIsNotTheOneTheManifestKnows) {
    manifest_.packs[0].length += 1;
    put_manifest();
    for (int run = 0; run < 2; ++run) {
        const VerifyReport report = verify();
        ASSERT_EQ(report.problems.size(), 1u) << run;
        EXPECT_EQ(report.problems[0].object(), pack_key());
    }
}

TEST_F(VerifyRepository, ReadsInTheSecondRunOnlyWhatIsNewOrLooksDifferent) {
    ASSERT_EQ(verify().objects_read, 5u);
    EXPECT_EQ(verify().objects_read, 2u) << "the manifest, and the record of the run before";
    put_wal(repository_, name(4), empty_segment());
    EXPECT_EQ(verify().objects_read, 3u);
    clock_.time += 1s;
    put(pack_key(), empty_segment('p'), ObjectKind::kPack);
    EXPECT_EQ(verify().objects_read, 3u);
    EXPECT_EQ(records().size(), 1u);
}

TEST_F(VerifyRepository, ReadsAgainWhatWasVerifiedTooLongAgoOrInAFutureThatNeverCame) {
    verify();
    const VerifyOptions options{.recheck_after = 24h};
    clock_.time += 23h;
    EXPECT_EQ(verify(options).objects_read, 2u);
    clock_.time += 1h;
    EXPECT_EQ(verify(options).objects_read, 6u);
    clock_.time -= 12h;
    EXPECT_EQ(verify(options).objects_read, 6u);
}

TEST_F(VerifyRepository, FindsDamageThatLooksUnchangedOnlyWhenItReadsAgain) {
    verify();
    flip_at_the_same_time(pack_key());
    EXPECT_TRUE(verify().problems.empty());
    EXPECT_EQ(recheck().problems.size(), 1u);
    EXPECT_EQ(verify().problems.size(), 1u) << "what was found is not remembered as verified";
}

TEST_F(VerifyRepository, WritesDownWhichPacksAreDamagedUntilTheyAreWhole) {
    verify();
    EXPECT_TRUE(load_damaged_packs(repository_).value().empty());
    flip_at_the_same_time(pack_key());
    recheck();
    EXPECT_EQ(load_damaged_packs(repository_).value(), std::set<std::string>{pack_key()});
    verify({.depth = VerifyDepth::kQuick});
    EXPECT_EQ(load_damaged_packs(repository_).value(), std::set<std::string>{pack_key()}) << "a quick run knows nothing of content";
    flip_at_the_same_time(pack_key());
    verify();
    EXPECT_TRUE(load_damaged_packs(repository_).value().empty());
}

TEST_F(VerifyRepository, ARunThatIsCutOffKeepsWhatItDidNotReach) {
    flip_at_the_same_time(pack_key());
    verify();
    ASSERT_EQ(load_damaged_packs(repository_).value().size(), 1u);
    // Read before the pack.
    put_gap(Lsn{4 * kMb}, Lsn{6 * kMb}, GapReason::kDropped);
    storage_.stop_at_read = repository_.layout().gap(1, Lsn{4 * kMb}, Lsn{6 * kMb});
    ASSERT_FALSE(verify_repository(repository_, {.workers = 1, .random = 1000}, clock_, progress_, storage_.stop.get_token()).ok());
    EXPECT_EQ(load_damaged_packs(repository_).value(), std::set<std::string>{pack_key()});
}

TEST_F(VerifyRepository, FindsAFlippedBitAnywhereInAnyObject) {
    put_all_kinds();
    verify();
    const std::vector<std::string> all = keys("");
    ASSERT_EQ(all.size(), 14u);
    for (const std::string& key : all) {
        const uint64_t size = memory_.stat(key).value()->size;
        // Every part of it: magic and header, index, the first and the last frame.
        for (const uint64_t at : {uint64_t{1}, uint64_t{9}, uint64_t{60}, uint64_t{100}, uint64_t{120}, uint64_t{130}, uint64_t{148}, size - 1}) {
            // A run that remembers would replace the record.
            const Bytes sound = read_object(memory_, key, 1 << 30).value();
            const TimePoint written = memory_.stat(key).value()->modified;
            flip_at_the_same_time(key, size - at);
            const VerifyReport report = verify({.memory = VerifyMemory::kIgnore});
            ASSERT_FALSE(report.problems.empty()) << key << " at " << at;
            EXPECT_TRUE(std::ranges::any_of(report.problems, [&](const Error& e) { return e.object() == key; })) << key << " at " << at;
            const TimePoint now = std::exchange(clock_.time, written);
            const ByteView parts[] = {sound};
            ASSERT_TRUE(memory_.put(key, parts, PutMode::kReplace).ok());
            clock_.time = now;
        }
    }
}

TEST_F(VerifyRepository, DoesWithoutADamagedRecordAndReplacesIt) {
    verify();
    flip(records().at(0));
    const VerifyReport report = verify();
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.objects_read, 5u) << "nothing was remembered";
    EXPECT_TRUE(verify().problems.empty());
    EXPECT_EQ(records().size(), 1u);
}

TEST_F(VerifyRepository, VerifiesWhatItMayNotWriteToAndSaysSo) {
    storage_.read_only = true;
    const VerifyReport report = verify();
    EXPECT_TRUE(report.problems.empty());
    ASSERT_TRUE(report.not_remembered);
    EXPECT_EQ(report.not_remembered->code(), ErrorCode::permission_denied);
    EXPECT_EQ(verify().objects_read, 5u);
}

TEST_F(VerifyRepository, WritesNothingWhenItIsToIgnoreWhatIsRemembered) {
    verify();
    const std::vector<std::string> before = records();
    EXPECT_EQ(verify({.memory = VerifyMemory::kIgnore}).objects_read, 6u);
    verify({.depth = VerifyDepth::kQuick});
    EXPECT_EQ(records(), before);
}

TEST_F(VerifyRepository, GoesOnWhereAnInterruptedRunEnded) {
    put_wal(repository_, name(4), empty_segment());
    storage_.stop_at_read = repository_.layout().wal(name(3));
    const VerifyOptions options{.workers = 1, .random = 1000};
    const auto interrupted = verify_repository(repository_, options, clock_, progress_, storage_.stop.get_token());
    ASSERT_FALSE(interrupted.ok());
    EXPECT_EQ(interrupted.error().code(), ErrorCode::cancelled);
    ASSERT_EQ(records().size(), 1u);
    storage_.stop_at_read.clear();
    storage_.stop = CancelSource();
    const VerifyReport report = verify();
    EXPECT_TRUE(report.problems.empty());
    EXPECT_EQ(report.objects_read, 4u) << "one segment, the identity, the manifest and the record";
}

TEST_F(VerifyRepository, WritesDownInBetweenWhatALongRunHasDone) {
    VerifyOptions options{.workers = 1, .record_interval = 0s};
    EXPECT_TRUE(verify(options).problems.empty());
    EXPECT_EQ(records().size(), 1u);
    const Bytes content = repository_.load(records()[0], ObjectKind::kVerification).value();
    const VerificationRecord record = parse_verification(as_text(content)).value();
    EXPECT_TRUE(record.finished);
    EXPECT_EQ(record.verified.size(), 4u);
}

TEST_F(VerifyRepository, ReplacesARecordWhoseNameIsOfAClockThatWasAhead) {
    clock_.time += 24h * 365;
    verify();
    clock_.time -= 24h * 365;
    verify();
    ASSERT_EQ(records().size(), 1u);
    EXPECT_EQ(verify().objects_read, 2u);
}

}  // namespace
}  // namespace steward
