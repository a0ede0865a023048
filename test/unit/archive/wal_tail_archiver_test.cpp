#include "core/archive/wal_tail_archiver.h"

#include <gtest/gtest.h>

#include <atomic>
#include <fstream>
#include <functional>
#include <optional>
#include <thread>

#include "base/temporary_directory.h"
#include "repository/memory_repository.h"

namespace steward {
namespace {

using namespace std::chrono_literals;

constexpr uint32_t kMb = 1024 * 1024;

/// Counts events; the archiver's threads write.
class CountingLog final : public Log {
public:
    void write(const LogRecord&) override { ++count; }
    std::atomic<int> count{0};
};

class WalTailArchiving : public testing::Test {
protected:
    WalTailArchiving() {
        std::filesystem::create_directories(directory_.path() / "pg_wal" / "archive_status");
        for (uint64_t number = 1; number <= 2; ++number)
            std::ofstream(directory_.path() / "pg_wal" / name(number), std::ios::binary) << std::string(kMb, 'w');
        for (MemoryStore* store : {&first_, &second_}) repositories_.push_back(store->claim(kTestIdentity));
        for (const Repository& repository : repositories_) {
            status_.repositories.emplace_back();
            status_.repositories.back().url = repository.url();
        }
    }
    ~WalTailArchiving() override { archiver_.reset(); }

    static std::string name(uint64_t number) { return to_string(WalSegmentName{1, number}, kMb); }
    void start(std::chrono::milliseconds retry_pause) {
        archiver_.emplace(TailOptions{directory_.path(), {Codec::kNone, 0}, retry_pause}, repositories_, first_.clock, log_);
    }
    void mark_ready(uint64_t number) const { std::ofstream(directory_.path() / "pg_wal" / "archive_status" / (name(number) + ".ready")); }
    WalStatusMessage status() const {
        WalStatusMessage status = status_;
        archiver_->describe(status);
        return status;
    }
    /// Wait until it holds. Only a test that fails waits long.
    static bool eventually(const std::function<bool()>& condition) {
        for (const auto end = std::chrono::steady_clock::now() + 30s; std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(1ms))
            if (condition()) return true;
        return false;
    }
    bool reaches(size_t repository, Lsn lsn) const {
        return eventually([&] { return status().repositories[repository].tail_lsn == lsn.value; });
    }

    const TemporaryDirectory directory_;
    MemoryStore first_;
    MemoryStore second_;
    std::vector<Repository> repositories_;
    WalStatusMessage status_;
    CountingLog log_;
    std::optional<WalTailArchiver> archiver_;
};

TEST_F(WalTailArchiving, GoesOnInOneRepositoryWhileAnotherFailsAndLogsThatOnce) {
    first_.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::network, "no route"));
    start(1ms);
    archiver_->advance({1, start_lsn(1, kMb) + 700});
    EXPECT_TRUE(reaches(1, start_lsn(1, kMb) + 700));
    EXPECT_TRUE(eventually([&] { return status().repositories[0].failures >= 3; })) << "it is tried again without being asked";
    EXPECT_EQ(log_.count.load(), 1);
    EXPECT_EQ(status().repositories[0].last_error, "no route");
    EXPECT_EQ(status().repositories[0].tail_lsn, 0u);
    EXPECT_EQ(status().repositories[1].failures, 0u);
    first_.faulty.heal();
    EXPECT_TRUE(reaches(0, start_lsn(1, kMb) + 700));
}

TEST_F(WalTailArchiving, GoesOnAtOnceWhenTheSegmentItWaitsForIsStored) {
    start(1h);
    mark_ready(1);
    const int looked = second_.faulty.calls(StorageOperation::kStat);
    archiver_->advance({1, start_lsn(2, kMb) + 700});
    // The wait for segment 1 has begun once it was looked for.
    EXPECT_TRUE(eventually([&] { return second_.faulty.calls(StorageOperation::kStat) > looked; }));
    const BuiltObject object =
        build_object(ObjectKind::kWalSegment, kTestIdentity.system_identifier, Bytes(kMb, std::byte{'w'}), {Codec::kNone, 0});
    for (const Repository& repository : repositories_)
        ASSERT_TRUE(repository.store(repository.layout().wal(name(1)), object, ObjectKind::kWalSegment).ok());
    archiver_->segment_stored();
    EXPECT_TRUE(reaches(0, start_lsn(2, kMb) + 700));
    EXPECT_TRUE(reaches(1, start_lsn(2, kMb) + 700));
}

}  // namespace
}  // namespace steward
