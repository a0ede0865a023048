#include "core/backup/increment_base.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>

#include "backup/test_repository.h"
#include "base/temporary_directory.h"
#include "core/repository/verification_record.h"
#include "postgres/wal_summary_writer.h"

namespace steward {
namespace {

using namespace std::chrono_literals;

const TimePoint kNow(std::chrono::seconds(1'795'000'000));

BackupSummary good_base() {
    BackupSummary base;
    base.timeline = base.stop_timeline = 2;
    base.start_lsn = Lsn{1000};
    base.data_checksums = true;
    base.last_full_read = kNow - 24h;
    return base;
}

bool trusted(const std::function<void(BackupSummary&, SummaryTrust&)>& change) {
    BackupSummary base = good_base();
    SummaryTrust trust{.timeline = 2, .start_lsn = Lsn{2000}, .started = kNow, .data_checksums = true, .full_read_interval = 48h};
    change(base, trust);
    return may_trust_summaries(base, trust);
}

TEST(MayTrustSummaries, OnlyWhereNothingElseCanHaveChangedAPage) {
    EXPECT_TRUE(trusted([](auto&, auto&) {}));
    EXPECT_FALSE(trusted([](auto&, auto& trust) { trust.timeline = 3; })) << "promoted since";
    EXPECT_FALSE(trusted([](auto& base, auto&) { base.stop_timeline = 3; })) << "promoted while the base was taken";
    EXPECT_FALSE(trusted([](auto&, auto& trust) { trust.start_lsn = Lsn{999}; })) << "a standby that is behind";
    EXPECT_FALSE(trusted([](auto& base, auto&) { base.data_checksums = false; })) << "pg_checksums --enable";
    EXPECT_FALSE(trusted([](auto& base, auto&) { base.checksum_failures = 1; }));
    EXPECT_FALSE(trusted([](auto& base, auto&) { base.last_full_read.reset(); })) << "version 1";
    EXPECT_FALSE(trusted([](auto& base, auto&) { base.last_full_read = kNow - 48h; })) << "the interval has passed";
    EXPECT_FALSE(trusted([](auto&, auto& trust) { trust.full_read_interval = 0s; }));
}

class FindIncrementBase : public testing::Test {
protected:
    void store_pack(const std::string& set, size_t size) {
        const BuiltObject object = build_object(ObjectKind::kPack, 77, Bytes(size, std::byte{7}), {});
        ASSERT_TRUE(repository().store(repository().layout().pack(set, 0), object, ObjectKind::kPack).ok());
        stored_[set] = object.size();
    }
    /// A backup that uses `used` bytes of the pack of each set.
    void store_backup(const std::string& label, uint64_t start, const std::map<std::string, uint64_t>& used) {
        Manifest manifest;
        manifest.summary.label = label;
        manifest.summary.system_identifier = 77;
        manifest.summary.timeline = manifest.summary.stop_timeline = 1;
        manifest.summary.start_lsn = manifest.summary.stop_lsn = Lsn{start};
        manifest.summary.data_bytes = 1 << 30;
        for (const auto& [set, length] : used) {
            const auto pack = static_cast<uint32_t>(manifest.packs.size());
            manifest.packs.push_back({.set = set, .number = 0, .length = 8192, .stored = stored_[set]});
            manifest.files.push_back({.path = "base/5/" + set, .size = length, .mode = 0600, .modified = {}, .crc32c = 0, .digest = {}, .runs = {{0, length, pack, 0}}});
        }
        const BuiltObject object = build_object(ObjectKind::kManifest, 77, as_bytes(render_manifest(manifest)), {});
        ASSERT_TRUE(repository().store(repository().layout().manifest(label), object, ObjectKind::kManifest).ok());
    }
    std::optional<IncrementBase> find() {
        Result<std::optional<IncrementBase>> found = find_increment_base(repository_.all(), log_, {});
        EXPECT_TRUE(found.ok()) << found.error().to_string();
        return found.ok() ? std::move(*found) : std::nullopt;
    }
    const Repository& repository() const { return repository_.one(); }

    TestRepository repository_;
    NullLog log_;
    std::map<std::string, uint64_t> stored_;
};

TEST_F(FindIncrementBase, IsTheNewestBackupThatCanBeRead) {
    EXPECT_FALSE(find());
    store_pack("a", 8192);
    store_backup("first", 100, {{"a", 8192}});
    store_backup("second", 200, {{"a", 8192}});
    ASSERT_TRUE(find());
    EXPECT_EQ(find()->manifest.summary.label, "second");
    const std::string key = repository().layout().manifest("second");
    Bytes object = *repository().storage().read(key, 0, UINT64_MAX);
    object.back() ^= std::byte{1};
    ASSERT_TRUE(repository().storage().put(key, std::array{ByteView(object)}, PutMode::kReplace).ok());
    ASSERT_TRUE(find());
    EXPECT_EQ(find()->manifest.summary.label, "first");
}

TEST_F(FindIncrementBase, DoesNotUsePacksThatAreGoneCutOffOrHardlyInUse) {
    for (const char* set : {"cut", "gone", "sparse", "used"}) store_pack(set, 8192);
    store_backup("b", 100, {{"cut", 8192}, {"gone", 8192}, {"sparse", 2000}, {"used", 8192}});
    EXPECT_EQ(find()->usable, (std::vector<bool>{true, true, false, true}));
    ASSERT_TRUE(repository().storage().remove(repository().layout().pack("gone", 0)).ok());
    const Bytes little(10);
    ASSERT_TRUE(repository().storage().put(repository().layout().pack("cut", 0), std::array{ByteView(little)}, PutMode::kReplace).ok());
    EXPECT_EQ(find()->usable, (std::vector<bool>{false, false, false, true}));
    const Manifest manifest = find()->manifest;
    const auto missing = check_packs_are_there(repository_.all(), manifest.packs);
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code(), ErrorCode::wrong_state);
}

TEST_F(FindIncrementBase, DoesNotUsePacksThatAVerificationFoundDamaged) {
    for (const char* set : {"bad", "good"}) store_pack(set, 8192);
    store_backup("b", 100, {{"bad", 8192}, {"good", 8192}});
    std::vector<std::string> records;
    VerificationRecord record{kNow, true, 3, 0, 1, {repository().layout().pack("bad", 0)}, {}};
    record.verified.emplace(repository().layout().pack("good", 0), VerifiedObject{1, 1, kNow, kNow});
    ASSERT_TRUE(store_verification(repository(), record, 1, records).ok());
    EXPECT_EQ(find()->usable, (std::vector<bool>{false, true}));
    record.damaged.clear();
    ASSERT_TRUE(store_verification(repository(), record, 2, records).ok());
    EXPECT_EQ(find()->usable, (std::vector<bool>{true, true})) << "it was cured";
}

TEST(FindSparsePacks, StaysWithinItsBudgetAndBeginsWithTheEmptiest) {
    Manifest manifest;
    for (uint32_t pack = 0; pack < 3; ++pack) {
        manifest.packs.push_back({.set = "s", .number = pack, .length = 80000, .stored = 1});
        manifest.files.push_back({.path = std::to_string(pack), .size = 100000, .mode = 0, .modified = {}, .crc32c = {}, .digest = {}, .runs = {{0, 5000 + pack * 5000, pack, 0}}});
    }
    EXPECT_EQ(find_sparse_packs(manifest, 1000000), (std::vector<bool>{true, true, true}));
    EXPECT_EQ(find_sparse_packs(manifest, 16000), (std::vector<bool>{true, true, false}));
    EXPECT_EQ(find_sparse_packs(manifest, 4999), (std::vector<bool>{false, false, false}));
}

/// Passes the time without taking any.
class ImpatientTimer final : public RetryTimer {
public:
    std::chrono::steady_clock::time_point now() override { return now_; }
    void wait(std::chrono::milliseconds duration, const CancelToken&) override {
        now_ += duration;
        if (during_wait) during_wait();
    }
    std::function<void()> during_wait;

private:
    std::chrono::steady_clock::time_point now_{};
};

class ReadChangedBlocks : public testing::Test {
protected:
    ReadChangedBlocks() { std::filesystem::create_directories(directory_.path() / "pg_wal/summaries"); }
    void summarize(uint64_t begin, uint64_t end, uint32_t block) {
        WalSummaryWriter writer;
        writer.touch(relation_, block);
        const Bytes content = writer.content();
        std::ofstream(directory_.path() / "pg_wal/summaries" / to_string(WalSummaryName{1, Lsn{begin}, Lsn{end}}), std::ios::binary) << as_text(content);
    }
    std::optional<ChangedBlocks> read(uint64_t begin, uint64_t end) {
        Result<std::optional<ChangedBlocks>> read = read_changed_blocks(directory_.path(), 1, Lsn{begin}, Lsn{end}, 1s, timer_, log_, {});
        EXPECT_TRUE(read.ok()) << read.error().to_string();
        return read.ok() ? std::move(*read) : std::nullopt;
    }

    const RelationFile relation_{.tablespace = kDefaultTablespace, .database = 5, .relation_number = 7};
    TemporaryDirectory directory_;
    ImpatientTimer timer_;
    NullLog log_;
};

TEST_F(ReadChangedBlocks, AddsUpWhatCoversTheWal) {
    summarize(100, 200, 3);
    summarize(200, 300, 5);
    summarize(300, 400, 9);
    std::optional<ChangedBlocks> changes = read(150, 300);
    ASSERT_TRUE(changes);
    EXPECT_EQ(changes->find(relation_)->blocks, (std::vector<uint32_t>{3, 5}));
}

TEST_F(ReadChangedBlocks, WaitsForTheLastOneAndNotForOneThatNeverComes) {
    summarize(100, 200, 3);
    timer_.during_wait = [this] { summarize(200, 300, 5); };
    EXPECT_TRUE(read(150, 300));
    EXPECT_FALSE(read(150, 400)) << "it never comes";
    EXPECT_FALSE(read(50, 300)) << "the first one is gone";
}

TEST_F(ReadChangedBlocks, OneThatIsDamagedIsNoSummary) {
    summarize(100, 200, 3);
    std::ofstream(directory_.path() / "pg_wal/summaries" / to_string(WalSummaryName{1, Lsn{200}, Lsn{300}})) << "nonsense";
    EXPECT_TRUE(read(150, 200));
    EXPECT_FALSE(read(150, 300));
}

TEST(ReadChangedBlocksWithoutSummaries, IsNothing) {
    const TemporaryDirectory directory;
    std::filesystem::create_directories(directory.path() / "pg_wal");
    ImpatientTimer timer;
    NullLog log;
    const auto read = read_changed_blocks(directory.path(), 1, Lsn{1}, Lsn{2}, 1s, timer, log, {});
    ASSERT_TRUE(read.ok());
    EXPECT_FALSE(*read);
}

}  // namespace
}  // namespace steward
