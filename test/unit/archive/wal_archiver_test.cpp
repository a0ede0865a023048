#include "core/archive/wal_archiver.h"

#include <thread>
#include <gtest/gtest.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <optional>

#include "base/temporary_directory.h"
#include "core/archive/assembled_segment.h"
#include "core/base/file.h"
#include "repository/memory_repository.h"

namespace steward {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;

constexpr const char* kOne = "000000010000000000000001";
constexpr const char* kTwo = "000000010000000000000002";
constexpr const char* kThree = "000000010000000000000003";
constexpr const char* kHistory = "00000002.history";
constexpr size_t kSegmentSize = 1024 * 1024;
/// Only a test that fails waits so long.
constexpr auto kPatience = 30s;

/// Keeps what the archiver says, and lets a test wait for it.
class Witness final : public ArchiveListener {
public:
    struct Failure {
        std::string name;
        Error error;
    };
    void stored(const std::string& name, const WalStatusMessage& status) override {
        const std::lock_guard lock(mutex_);
        stored_.push_back(name);
        status_ = status;
        changed_.notify_all();
    }
    void not_stored(const std::string& name, const Error& error, const WalStatusMessage& status) override {
        const std::lock_guard lock(mutex_);
        failures_.push_back({name, error});
        status_ = status;
        changed_.notify_all();
    }

    /// Names in the order of storing, once there are `count`.
    Names wait_for_stored(size_t count) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return stored_.size() >= count; })) << stored_.size() << " stored of " << count;
        return stored_;
    }
    std::vector<Failure> wait_for_failures(size_t count) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return failures_.size() >= count; })) << failures_.size() << " failures of " << count;
        return failures_;
    }
    Names stored_so_far() {
        const std::lock_guard lock(mutex_);
        return stored_;
    }
    WalStatusMessage last_status() {
        const std::lock_guard lock(mutex_);
        return status_;
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    Names stored_;
    std::vector<Failure> failures_;
    WalStatusMessage status_;
};

/// A data directory with files ready to be archived, and repositories.
class Archive : public testing::Test {
protected:
    Archive() { std::filesystem::create_directories(status_directory()); }

    std::filesystem::path pg_wal() const { return directory_.path() / "pg_wal"; }
    std::filesystem::path status_directory() const { return pg_wal() / "archive_status"; }
    void mark_ready(const std::string& name) { std::ofstream(status_directory() / (name + ".ready")); }
    void write(const std::string& name, ByteView content) {
        std::ofstream(pg_wal() / name, std::ios::binary).write(as_text(content).data(), static_cast<std::streamsize>(content.size()));
    }
    static Bytes segment_content(const std::string& name) {
        Bytes content(kSegmentSize, std::byte{0});
        std::ranges::copy(as_bytes(name), content.begin() + 5000);
        return content;
    }
    void add_segment(const std::string& name) {
        write(name, segment_content(name));
        mark_ready(name);
    }
    void add_text(const std::string& name, const std::string& text) {
        write(name, as_bytes(text));
        mark_ready(name);
    }

    /// Start archiving into the stores that were claimed (by default one).
    int threads_per_worker_ = 1;  ///< two would finish in any order

    WalArchiver& start(int workers, std::chrono::milliseconds pause = 1ms) {
        if (repositories_.empty()) repositories_.push_back(store_.claim(kTestIdentity));
        ArchiverOptions options;
        options.data_directory = directory_.path();
        options.workers = workers;
        options.threads_per_worker = threads_per_worker_;
        options.compression = {Codec::kZstd, 1};
        options.first_pause = pause;
        options.longest_pause = pause;
        options.given_up = given_up_;
        archiver_.emplace(std::move(options), repositories_, witness_, store_.clock);
        return *archiver_;
    }
    void stop() { archiver_.reset(); }

    Result<Bytes> stored_content(const std::string& name) const {
        return repositories_.front().load(repositories_.front().layout().wal(name), wal_object_kind(name));
    }

    const TemporaryDirectory directory_;
    MemoryStore store_;
    MemoryStore second_store_;
    std::vector<Repository> repositories_;
    const GivenUpWal* given_up_ = nullptr;
    Witness witness_;
    std::optional<WalArchiver> archiver_;
};

TEST_F(Archive, StoresEverythingThatIsReady) {
    const std::string backup = std::string(kTwo) + ".00000028.backup", partial = std::string(kThree) + ".partial";
    for (const char* name : {kOne, kTwo}) add_segment(name);
    add_text(kHistory, "1\t0/3000000\tno recovery target specified\n");
    add_text(backup, "START WAL LOCATION: 0/200028 (file 000000010000000000000002)\n");
    write(partial, segment_content(partial));
    mark_ready(partial);
    ASSERT_TRUE(start(2).scan().ok());
    witness_.wait_for_stored(5);
    EXPECT_EQ(*stored_content(kOne), segment_content(kOne));
    EXPECT_EQ(*stored_content(kTwo), segment_content(kTwo));
    EXPECT_EQ(*stored_content(partial), segment_content(partial));
    EXPECT_EQ(as_text(*stored_content(kHistory)), "1\t0/3000000\tno recovery target specified\n");
    EXPECT_EQ(as_text(*stored_content(backup)), "START WAL LOCATION: 0/200028 (file 000000010000000000000002)\n");
}

TEST_F(Archive, StoresHistoriesFirstThenTheOldest) {
    for (const char* name : {kThree, kOne, kTwo}) add_segment(name);
    add_text(kHistory, "1\t0/3000000\tx\n");
    ASSERT_TRUE(start(1).scan().ok());
    EXPECT_EQ(witness_.wait_for_stored(4), (Names{kHistory, kOne, kTwo, kThree}));
}

TEST_F(Archive, CountsAFileAsStoredOnlyWhenEveryRepositoryHasIt) {
    repositories_.push_back(store_.claim(kTestIdentity));
    repositories_.push_back(second_store_.claim(kTestIdentity));
    second_store_.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::network, "no route"));
    add_segment(kOne);
    ASSERT_TRUE(start(1).scan().ok());
    const auto failure = witness_.wait_for_failures(2).front();
    EXPECT_EQ(failure.name, kOne);
    EXPECT_EQ(failure.error.message(), "no route");
    EXPECT_EQ(failure.error.context(), std::vector<std::string>{"while storing WAL file \"000000010000000000000001\""});
    EXPECT_TRUE(witness_.stored_so_far().empty());
    EXPECT_TRUE(stored_content(kOne).ok()) << "the other repository does not wait for the one that fails";

    second_store_.faulty.heal();
    EXPECT_EQ(witness_.wait_for_stored(1), Names{kOne});
    EXPECT_EQ(*repositories_[1].load(repositories_[1].layout().wal(kOne), ObjectKind::kWalSegment), segment_content(kOne));
    const WalStatusMessage status = witness_.last_status();
    EXPECT_GE(status.repositories.at(1).failures, 2u);
    EXPECT_EQ(status.repositories.at(0).failures, 0u);
    EXPECT_EQ(status.repositories.at(1).last_error, "no route");
    EXPECT_EQ(status.backlog_files, 0u);
}

/// A store that is down, and sees how many ask it at the same time.
class StoreThatIsDown final : public Storage {
public:
    StoreThatIsDown(Storage& inner, int first_wave) : inner_(inner), first_wave_(first_wave) {}
    StorageCapabilities capabilities() const override { return inner_.capabilities(); }
    std::string url() const override { return inner_.url(); }
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override {
        if (!key.starts_with("cluster/")) return inner_.put(key, parts, mode);
        std::unique_lock lock(mutex_);
        if (!down_) return inner_.put(key, parts, mode);
        ++attempts_;
        ++asking_;
        if (attempts_ > first_wave_) most_asking_ = std::max(most_asking_, asking_);
        changed_.notify_all();
        // Give a second one the time to come, if it is let through.
        changed_.wait_for(lock, 5ms, [&] { return asking_ > 1 && attempts_ > first_wave_; });
        --asking_;
        return Error(ErrorCode::network, "down");
    }
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override { return inner_.read(key, offset, length); }
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override { return inner_.stat(key); }
    Result<ListPage> list(std::string_view prefix, std::string_view page, size_t limit) override { return inner_.list(prefix, page, limit); }
    Result<void> remove(std::string_view key) override { return inner_.remove(key); }
    Result<void> remove_stale_uploads(TimePoint older_than) override { return inner_.remove_stale_uploads(older_than); }

    void wait_for_attempts(int count) {
        std::unique_lock lock(mutex_);
        EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return attempts_ >= count; }));
    }
    void come_back() {
        const std::lock_guard lock(mutex_);
        down_ = false;
    }
    int most_asking() {
        const std::lock_guard lock(mutex_);
        return most_asking_;
    }

private:
    Storage& inner_;
    const int first_wave_;
    std::mutex mutex_;
    std::condition_variable changed_;
    bool down_ = true;
    int attempts_ = 0;
    int asking_ = 0;
    int most_asking_ = 0;  ///< after the first wave
};

TEST_F(Archive, ProbesAnOutageWithOneFileAtATime) {
    // Each worker has a second thread that waits for the disk: so many attempts are under way when the outage shows.
    constexpr int kWorkers = 2, kFirstWave = 2 * kWorkers, kFiles = 6;
    threads_per_worker_ = 2;
    auto owned = std::make_unique<StoreThatIsDown>(store_.memory, kFirstWave);
    StoreThatIsDown& store = *owned;
    repositories_.push_back(Repository::open_or_claim(std::move(owned), "main", kTestIdentity, store_.clock).value());
    for (int i = 1; i <= kFiles; ++i) add_segment("00000001000000000000000" + std::to_string(i));
    ASSERT_TRUE(start(kWorkers).scan().ok());
    store.wait_for_attempts(kFirstWave + 10);
    EXPECT_EQ(store.most_asking(), 1);
    store.come_back();
    witness_.wait_for_stored(kFiles);
    EXPECT_EQ(archiver_->status().backlog_files, 0u);
}

TEST_F(Archive, AConflictOfOneFileDoesNotHoldUpOthers) {
    repositories_.push_back(store_.claim(kTestIdentity));
    const Repository& repository = repositories_.front();
    const Bytes other = segment_content("other content");
    ASSERT_TRUE(repository
                    .store(repository.layout().wal(kOne), build_object(ObjectKind::kWalSegment, kTestIdentity.system_identifier, other, {}),
                           ObjectKind::kWalSegment)
                    .ok());
    for (const char* name : {kOne, kTwo, kThree}) add_segment(name);
    ASSERT_TRUE(start(1).scan().ok());
    EXPECT_EQ(witness_.wait_for_stored(2), (Names{kTwo, kThree}));
    const auto failure = witness_.wait_for_failures(1).front();
    EXPECT_EQ(failure.name, kOne);
    EXPECT_EQ(failure.error.code(), ErrorCode::content_conflict);
    EXPECT_EQ(*stored_content(kOne), other);
    EXPECT_EQ(archiver_->status().backlog_files, 1u);
    EXPECT_EQ(archiver_->status().backlog_bytes, kSegmentSize);
}

TEST_F(Archive, AWantedFileIsTakenFirstAndAtOnce) {
    repositories_.push_back(store_.claim(kTestIdentity));
    store_.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::network, "down"));
    for (const char* name : {kOne, kTwo, kThree}) add_segment(name);
    ASSERT_TRUE(start(1, std::chrono::hours(1)).scan().ok());
    witness_.wait_for_failures(1);  // and now nothing would be tried for an hour
    store_.faulty.heal();
    archiver_->want(kThree);
    Names stored = witness_.wait_for_stored(3);
    EXPECT_EQ(stored.front(), kThree);
    std::ranges::sort(stored);
    EXPECT_EQ(stored, (Names{kOne, kTwo, kThree}));
}

TEST_F(Archive, AWantedFileIsRetriedAtOnceAfterAFailureOfItsOwn) {
    add_text(kOne, "too short");
    ASSERT_TRUE(start(1, std::chrono::hours(1)).scan().ok());
    witness_.wait_for_failures(1);
    write(kOne, segment_content(kOne));
    archiver_->want(kOne);
    EXPECT_EQ(witness_.wait_for_stored(1), Names{kOne});
}

TEST_F(Archive, AWantedFileNeedsNoScan) {
    add_segment(kOne);
    start(1).want(kOne);
    EXPECT_EQ(witness_.wait_for_stored(1), Names{kOne});
}

TEST_F(Archive, AWantedFileThatIsStoredIsReportedAgain) {
    add_segment(kOne);
    ASSERT_TRUE(start(1).scan().ok());
    witness_.wait_for_stored(1);
    const int puts = store_.faulty.calls(StorageOperation::kPut);
    archiver_->want(kOne);
    EXPECT_EQ(witness_.wait_for_stored(2), (Names{kOne, kOne}));
    EXPECT_EQ(store_.faulty.calls(StorageOperation::kPut), puts);
}

TEST_F(Archive, WhatIsGivenUpIsNotTouchedAnyMore) {
    repositories_.push_back(store_.claim(kTestIdentity));
    store_.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::network, "down"));
    for (const char* name : {kOne, kTwo, kThree}) add_segment(name);
    add_text(kHistory, "1\t0/3000000\tx\n");
    ASSERT_TRUE(start(1, std::chrono::hours(1)).scan().ok());
    witness_.wait_for_failures(1);  // and now nothing is in flight
    EXPECT_EQ(archiver_->waiting(), (Names{kHistory, kOne, kTwo, kThree}));
    EXPECT_EQ(archiver_->give_up(Names{kOne, kTwo, "000000010000000000000009"}), (Names{kOne, kTwo}));
    EXPECT_EQ(archiver_->waiting(), (Names{kHistory, kThree}));
    EXPECT_EQ(archiver_->status().backlog_bytes, kSegmentSize);
    archiver_->take_back(Names{kTwo});
    EXPECT_EQ(archiver_->waiting(), (Names{kHistory, kTwo, kThree}));
    ASSERT_TRUE(archiver_->scan().ok());
    EXPECT_EQ(archiver_->waiting(), (Names{kHistory, kTwo, kThree})) << "though its mark is still there";

    store_.faulty.heal();
    archiver_->want(kTwo);
    Names stored = witness_.wait_for_stored(3);
    std::ranges::sort(stored);
    EXPECT_EQ(stored, (Names{kTwo, kThree, kHistory}));
    EXPECT_EQ(stored_content(kOne).error().code(), ErrorCode::not_found);
}

TEST_F(Archive, WhatWasGivenUpBeforeARestartStaysSo) {
    NullLog log;
    const auto given_up = GivenUpWal::open(directory_.path(), kSegmentSize, log).value();
    ASSERT_TRUE(given_up->add(dropped_ranges(Names{kOne}, kSegmentSize, {}, ""), {}).ok());
    given_up_ = given_up.get();
    for (const char* name : {kOne, kTwo}) add_segment(name);
    ASSERT_TRUE(start(1).scan().ok());
    EXPECT_EQ(witness_.wait_for_stored(1), Names{kTwo});
    EXPECT_TRUE(archiver_->waiting().empty());
}

TEST_F(Archive, APostponedHistoryIsStoredWithoutItsMark) {
    repositories_.push_back(store_.claim(kTestIdentity));
    store_.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::network, "down"));
    add_text(kHistory, "1\t0/3000000\tx\n");
    ASSERT_TRUE(start(1, std::chrono::hours(1)).scan().ok());
    witness_.wait_for_failures(1);
    archiver_->postpone(Names{kHistory});
    std::filesystem::remove(status_directory() / (std::string(kHistory) + ".ready"));
    add_segment(kOne);
    ASSERT_TRUE(archiver_->scan().ok());
    EXPECT_EQ(archiver_->waiting(), (Names{kHistory, kOne}));
    store_.faulty.heal();
    archiver_->want(kOne);
    Names stored = witness_.wait_for_stored(2);
    std::ranges::sort(stored);
    EXPECT_EQ(stored, (Names{kOne, kHistory}));
    ASSERT_TRUE(archiver_->scan().ok());
    EXPECT_TRUE(archiver_->waiting().empty());
}

TEST_F(Archive, AFileThatVanishedIsForgotten) {
    mark_ready(kOne);
    add_segment(kTwo);
    ASSERT_TRUE(start(1).scan().ok());
    EXPECT_EQ(witness_.wait_for_stored(1), Names{kTwo});
    // Nobody is told of a file that is gone: look until it is forgotten.
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
    while (archiver_->status().backlog_files != 0 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    EXPECT_EQ(archiver_->status().backlog_files, 0u);
    EXPECT_TRUE(witness_.wait_for_failures(0).empty());
}

TEST_F(Archive, ASegmentOfTheWrongSizeIsRefused) {
    add_text(kOne, "too short");
    ASSERT_TRUE(start(1).scan().ok());
    const auto failure = witness_.wait_for_failures(1).front();
    EXPECT_EQ(failure.error.code(), ErrorCode::corrupt_object);
    EXPECT_EQ(failure.error.message(), "WAL segment \"" + (pg_wal() / kOne).native() + "\" has 9 bytes instead of 1048576");
    EXPECT_EQ(stored_content(kOne).error().code(), ErrorCode::not_found);
}

TEST_F(Archive, AfterARestartWhatIsStoredIsRecognisedAndNotWrittenAgain) {
    for (const char* name : {kOne, kTwo}) add_segment(name);
    ASSERT_TRUE(start(2).scan().ok());
    witness_.wait_for_stored(2);
    stop();
    const int puts = store_.faulty.calls(StorageOperation::kPut);
    ASSERT_TRUE(start(2).scan().ok());
    Names names = witness_.wait_for_stored(4);
    std::ranges::sort(names);
    EXPECT_EQ(names, (Names{kOne, kOne, kTwo, kTwo}));
    EXPECT_EQ(store_.faulty.calls(StorageOperation::kPut), puts);
    EXPECT_EQ(archiver_->status().repositories.at(0).stored_files, 2u);
    EXPECT_EQ(archiver_->status().repositories.at(0).repository_bytes, 0u);
}

TEST_F(Archive, AfterARestartAConflictIsFoundToo) {
    add_segment(kOne);
    ASSERT_TRUE(start(1).scan().ok());
    witness_.wait_for_stored(1);
    stop();
    write(kOne, segment_content("rewritten"));
    ASSERT_TRUE(start(1).scan().ok());
    EXPECT_EQ(witness_.wait_for_failures(1).front().error.code(), ErrorCode::content_conflict);
    EXPECT_EQ(*stored_content(kOne), segment_content(kOne));
}

TEST_F(Archive, CountsWhatItDid) {
    for (const char* name : {kOne, kThree}) add_segment(name);
    add_text(kHistory, "1\t0/3000000\tx\n");
    WalArchiver& archiver = start(1);
    EXPECT_EQ(archiver.status().repositories.at(0).last_segment, "");
    ASSERT_TRUE(archiver.scan().ok());
    witness_.wait_for_stored(3);
    const WalStatusMessage status = witness_.last_status();
    EXPECT_EQ(status.backlog_files, 0u);
    EXPECT_EQ(status.backlog_bytes, 0u);
    EXPECT_GT(status.bytes_per_second, 0);
    const WalRepositoryStatus& repository = status.repositories.at(0);
    EXPECT_EQ(repository.url, "memory:");
    EXPECT_EQ(repository.last_segment, kThree);
    EXPECT_EQ(repository.last_lsn, 4 * kSegmentSize);
    EXPECT_EQ(repository.last_stored_us, store_.clock.now().time_since_epoch().count());
    EXPECT_EQ(repository.stored_files, 3u);
    EXPECT_EQ(repository.stored_bytes, 2 * kSegmentSize + 14);
    EXPECT_GT(repository.repository_bytes, 0u);
    EXPECT_LT(repository.repository_bytes, kSegmentSize);
    EXPECT_EQ(repository.failures, 0u);
}

TEST_F(Archive, CountsAFailureThatIsTheFilesOwn) {
    add_text(kOne, "too short");
    ASSERT_TRUE(start(1).scan().ok());
    witness_.wait_for_failures(1);
    const WalRepositoryStatus repository = witness_.last_status().repositories.at(0);
    EXPECT_GE(repository.failures, 1u);
    EXPECT_NE(repository.last_error.find("has 9 bytes instead of 1048576"), std::string::npos) << repository.last_error;
}

TEST_F(Archive, TheBacklogShrinksWhenSomeoneElseArchived) {
    repositories_.push_back(store_.claim(kTestIdentity));
    store_.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::network, "down"));
    for (const char* name : {kOne, kTwo}) add_segment(name);
    ASSERT_TRUE(start(1, std::chrono::hours(1)).scan().ok());
    witness_.wait_for_failures(1);
    EXPECT_EQ(archiver_->status().backlog_files, 2u);
    std::filesystem::remove(status_directory() / (std::string(kOne) + ".ready"));
    ASSERT_TRUE(archiver_->scan().ok());
    EXPECT_EQ(archiver_->status().backlog_files, 1u);
}

TEST_F(Archive, AScanOfADataDirectoryThatIsGoneIsAnError) {
    std::filesystem::remove_all(pg_wal());
    EXPECT_EQ(start(1).scan().error().code(), ErrorCode::not_found);
}

TEST_F(Archive, LeavesASegmentAloneThatWasAssembledFromItsTail) {
    Bytes assembled = segment_content(kOne);
    mark_as_assembled(assembled, 9000);
    write(kOne, assembled);
    mark_ready(kOne);
    add_segment(kTwo);
    ASSERT_TRUE(start(1).scan().ok());
    EXPECT_EQ(witness_.wait_for_stored(2), (Names{kOne, kTwo})) << "the server is told that it needs nothing more";
    EXPECT_EQ(stored_content(kOne).error().code(), ErrorCode::not_found);
    EXPECT_EQ(witness_.last_status().repositories[0].last_segment, kTwo);
}

}  // namespace
}  // namespace steward
