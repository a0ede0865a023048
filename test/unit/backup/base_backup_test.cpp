#include "core/backup/base_backup.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "backup/test_repository.h"
#include "core/postgres/crc32c.h"
#include "postgres/real_server.h"

namespace steward {
namespace {

using namespace std::chrono_literals;

/// Passes the time without taking any; does something when asked to wait.
class FakeTimer final : public RetryTimer {
public:
    std::chrono::steady_clock::time_point now() override { return now_; }
    void wait(std::chrono::milliseconds duration, const CancelToken&) override {
        now_ += duration;
        ++waits;
        if (during_wait) during_wait();
    }
    std::function<void()> during_wait;
    int waits = 0;

private:
    std::chrono::steady_clock::time_point now_{};
};

class CountingLog final : public Log {
public:
    void write(const LogRecord& record) override { events.push_back(record.event); }
    std::vector<std::string> events;
};

/// One data directory for all tests, made by the newest server that is there; nothing changes it.
class BaseBackupTest : public testing::Test {
protected:
    static void SetUpTestSuite() {
        if (!installed_servers().empty()) server_ = std::make_unique<RealServer>(installed_servers().back(), "--data-checksums");
    }
    static void TearDownTestSuite() { server_.reset(); }

    void SetUp() override {
        REQUIRE_REAL_SERVERS(installed_servers());
        const Result<ControlFile> control = read_control_file(server_->data());
        ASSERT_TRUE(control.ok());
        control_ = *control;
        repository_ = std::make_unique<TestRepository>(Identity{control_.system_identifier, server_->major(), control_.wal_segment_size});
        start_ = control_.checkpoint.redo;
    }

    BaseBackup make(const std::string& label = "first", bool from_standby = false) {
        BaseBackupOptions options;
        options.data_directory = server_->data();
        options.label = label;
        options.start_lsn = start_;
        options.from_standby = from_standby;
        options.workers = 2;
        options.pack_set = "set-" + label;
        return BaseBackup(std::move(options), repository_->all(), timer_, log_);
    }
    BackupEnd end() const {
        return {.stop_lsn = start_ + control_.wal_segment_size,
                .backup_label = "START WAL LOCATION: " + to_string(start_) + " (file " + segment(0) + ")\nCHECKPOINT LOCATION: " + to_string(start_) +
                                "\nBACKUP METHOD: streamed\nBACKUP FROM: primary\nSTART TIME: now\nLABEL: first\nSTART TIMELINE: 1\n",
                .tablespace_map = "",
                .stopped = {}};
    }
    std::string segment(uint64_t number) const {
        return to_string(WalSegmentName{1, segment_of(start_, control_.wal_segment_size) + number}, control_.wal_segment_size);
    }
    void archive(uint64_t number) {
        const Repository& repository = repository_->one();
        const BuiltObject object = build_object(ObjectKind::kWalSegment, control_.system_identifier, as_bytes("WAL"), {});
        ASSERT_TRUE(repository.store(repository.layout().wal(segment(number)), object, ObjectKind::kWalSegment).ok());
    }
    std::string manifest_key(const std::string& label = "first") const { return repository_->one().layout().manifest(label); }
    size_t packs() { return repository_->keys(repository_->one().layout().packs_prefix()).size(); }

    static std::unique_ptr<RealServer> server_;
    ControlFile control_;
    Lsn start_;
    std::unique_ptr<TestRepository> repository_;
    FakeTimer timer_;
    CountingLog log_;
};

std::unique_ptr<RealServer> BaseBackupTest::server_;

TEST_F(BaseBackupTest, HoldsEveryFileOfTheManifestAsItIsOnDisk) {
    archive(0);
    archive(1);
    BaseBackup backup = make();
    ASSERT_TRUE(backup.copy({}).ok());
    const Result<BackupSummary> summary = backup.commit(end(), {});
    ASSERT_TRUE(summary.ok()) << summary.error().to_string();
    const Result<Bytes> content = repository_->one().load(manifest_key(), ObjectKind::kManifest);
    ASSERT_TRUE(content.ok());
    const Result<Manifest> manifest = parse_manifest(as_text(*content));
    ASSERT_TRUE(manifest.ok()) << manifest.error().to_string();
    for (const ManifestFile& file : manifest->files) {
        const Result<Bytes> source = read_file(server_->data() / file.path);
        ASSERT_TRUE(source.ok());
        ASSERT_EQ(file.size, source->size()) << file.path;
        ASSERT_EQ(file.crc32c, crc32c(*source)) << file.path;
    }
    const auto control = std::ranges::find(manifest->files, "global/pg_control", &ManifestFile::path);
    ASSERT_NE(control, manifest->files.end());
    EXPECT_EQ(repository_->read_back(*control, manifest->packs), as_text(*read_file(server_->data() / "global/pg_control")));
    EXPECT_TRUE(std::ranges::is_sorted(manifest->files, {}, &ManifestFile::path));
    EXPECT_EQ(manifest->summary.files, manifest->files.size());
    EXPECT_EQ(manifest->summary.timeline, 1u);
    EXPECT_EQ(manifest->summary.checksum_failures, 0u);
    EXPECT_TRUE(manifest->summary.data_checksums);
    EXPECT_EQ(backup.progress().bytes_done, backup.progress().bytes_total);
}

TEST_F(BaseBackupTest, CommitsOnlyWhenAllItsWalIsThere) {
    archive(0);
    timer_.during_wait = [this] {
        EXPECT_TRUE(repository_->keys(manifest_key()).empty());
        if (timer_.waits == 3) archive(1);
    };
    BaseBackup backup = make();
    ASSERT_TRUE(backup.copy({}).ok());
    ASSERT_TRUE(backup.commit(end(), {}).ok());
    EXPECT_EQ(timer_.waits, 3);
    EXPECT_EQ(repository_->keys(manifest_key()).size(), 1u);
}

TEST_F(BaseBackupTest, TellsOnceThatItWaitsLongForWal) {
    archive(0);
    timer_.during_wait = [this] {
        if (timer_.waits == 200) archive(1);
    };
    BaseBackup backup = make();
    ASSERT_TRUE(backup.copy({}).ok());
    ASSERT_TRUE(backup.commit(end(), {}).ok());
    EXPECT_EQ(log_.events, std::vector<std::string>{"waiting_for_wal"});
}

TEST_F(BaseBackupTest, CanBeCancelledWhileItWaitsForWal) {
    CancelSource source;
    timer_.during_wait = [&] { source.request_stop(); };
    BaseBackup backup = make();
    ASSERT_TRUE(backup.copy({}).ok());
    const Result<BackupSummary> summary = backup.commit(end(), source.get_token());
    ASSERT_FALSE(summary.ok());
    EXPECT_EQ(summary.error().code(), ErrorCode::cancelled);
    backup.discard();
    EXPECT_EQ(packs(), 0u);
    EXPECT_TRUE(repository_->keys(manifest_key()).empty());
}

TEST_F(BaseBackupTest, RefusesATakenLabelBeforeCopyingAnything) {
    ASSERT_TRUE(repository_->one().storage().put(manifest_key(), {}, PutMode::kIfAbsent).ok());
    BaseBackup backup = make();
    const Result<void> copied = backup.copy({});
    ASSERT_FALSE(copied.ok());
    EXPECT_EQ(copied.error().code(), ErrorCode::already_exists);
    EXPECT_EQ(packs(), 0u);
}

TEST_F(BaseBackupTest, LosesToABackupThatTookTheLabelMeanwhile) {
    archive(0);
    archive(1);
    BaseBackup backup = make();
    ASSERT_TRUE(backup.copy({}).ok());
    const BuiltObject other = build_object(ObjectKind::kManifest, control_.system_identifier, as_bytes("other"), {});
    ASSERT_TRUE(repository_->one().store(manifest_key(), other, ObjectKind::kManifest).ok());
    const Result<BackupSummary> summary = backup.commit(end(), {});
    ASSERT_FALSE(summary.ok());
    EXPECT_EQ(summary.error().code(), ErrorCode::already_exists);
    backup.discard();
    EXPECT_EQ(packs(), 0u);
}

TEST_F(BaseBackupTest, LeavesNoManifestWhicheverPutFails) {
    archive(0);
    archive(1);
    int failures = 0;
    for (bool complete = false; !complete; ++failures) {
        ASSERT_LT(failures, 1000);
        BaseBackup backup = make();
        const int next = repository_->faults().calls(StorageOperation::kPut) + 1 + failures;
        repository_->faults().fail(StorageOperation::kPut, next, Error(ErrorCode::no_space, "the disk is full"));
        complete = backup.copy({}).ok() && backup.commit(end(), {}).ok();
        repository_->faults().heal();
        EXPECT_EQ(repository_->keys(manifest_key()).size(), complete ? 1u : 0u) << "put " << next;
        if (!complete) backup.discard();
    }
    EXPECT_GT(failures, 3);
}

TEST_F(BaseBackupTest, FailsWhenTheStandbyWasPromoted) {
    archive(0);
    archive(1);
    BaseBackup backup = make("first", true);
    ASSERT_TRUE(backup.copy({}).ok());
    // The directory's state is "shut down", which no standby that is running has.
    const Result<BackupSummary> summary = backup.commit(end(), {});
    ASSERT_FALSE(summary.ok());
    EXPECT_EQ(summary.error().code(), ErrorCode::wrong_state);
}

}  // namespace
}  // namespace steward
