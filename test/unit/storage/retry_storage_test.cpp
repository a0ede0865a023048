#include "core/storage/retry_storage.h"

#include <gmock/gmock.h>

#include "core/storage/memory_storage.h"
#include "storage/faulty_storage.h"
#include "storage/storage_contract_test.h"

namespace steward {
namespace {

using std::chrono::milliseconds;

/// Passes time without taking any.
class FakeRetryTimer final : public RetryTimer {
public:
    std::chrono::steady_clock::time_point now() override { return now_; }
    void wait(milliseconds duration, const CancelToken&) override {
        waits.push_back(duration);
        now_ += duration;
        if (on_wait) on_wait();
    }
    std::vector<milliseconds> waits;
    std::function<void()> on_wait;

private:
    std::chrono::steady_clock::time_point now_;
};

INSTANTIATE_TEST_SUITE_P(RetriedMemory, StorageContract, testing::Values(StorageUnderTest{[] {
                             static const SystemClock clock;
                             static SteadyRetryTimer timer;
                             return std::make_shared<RetryStorage>(std::make_unique<MemoryStorage>(clock), RetryPolicy{}, timer,
                                                                   CancelToken());
                         }}));

class RetryStorageTest : public testing::Test {
protected:
    RetryStorageTest() {
        auto faulty = std::make_unique<FaultyStorage>(memory_);
        faulty_ = faulty.get();
        storage_ = std::make_unique<RetryStorage>(std::move(faulty),
                                                  RetryPolicy{milliseconds(100), milliseconds(300), milliseconds(1000)}, timer_,
                                                  cancel_.get_token());
    }
    Result<PutOutcome> put(std::string_view key, PutMode mode) {
        const ByteView part = as_bytes("x");
        return storage_->put(key, {&part, 1}, mode);
    }

    SystemClock clock_;
    MemoryStorage memory_{clock_};
    FakeRetryTimer timer_;
    CancelSource cancel_;
    FaultyStorage* faulty_;
    std::unique_ptr<RetryStorage> storage_;
};

TEST_F(RetryStorageTest, TriesAgainAfterErrorsThatMayPass) {
    faulty_->fail(StorageOperation::kStat, 1, Error(ErrorCode::network, "down"));
    faulty_->fail(StorageOperation::kStat, 2, Error(ErrorCode::timed_out, "slow"));
    EXPECT_TRUE(storage_->stat("k").ok());
    EXPECT_EQ(faulty_->calls(StorageOperation::kStat), 3);
    EXPECT_THAT(timer_.waits, testing::ElementsAre(milliseconds(100), milliseconds(200)));
}

TEST_F(RetryStorageTest, RetriesEveryOperation) {
    for (const StorageOperation operation :
         {StorageOperation::kPut, StorageOperation::kRead, StorageOperation::kStat, StorageOperation::kList,
          StorageOperation::kRemove, StorageOperation::kRemoveStaleUploads})
        faulty_->fail(operation, 1, Error(ErrorCode::network, "down"));
    EXPECT_EQ(*put("k", PutMode::kIfAbsent), PutOutcome::kCreated);
    EXPECT_TRUE(storage_->read("k", 0, 1).ok());
    EXPECT_TRUE(storage_->stat("k").ok());
    EXPECT_TRUE(storage_->list("").ok());
    EXPECT_TRUE(storage_->remove("k").ok());
    EXPECT_TRUE(storage_->remove_stale_uploads(TimePoint()).ok());
    EXPECT_EQ(timer_.waits.size(), 6u);
}

TEST_F(RetryStorageTest, ReturnsLastingErrorsAtOnce) {
    for (const ErrorCode code : {ErrorCode::no_space, ErrorCode::permission_denied, ErrorCode::wrong_state}) {
        faulty_->fail_always(StorageOperation::kPut, Error(code, "no"));
        EXPECT_EQ(put("k", PutMode::kReplace).error().code(), code);
    }
    EXPECT_EQ(faulty_->calls(StorageOperation::kPut), 3);
    EXPECT_THAT(timer_.waits, testing::IsEmpty());
}

TEST_F(RetryStorageTest, GivesUpWithTheLastErrorWhenTheTimeIsUsedUp) {
    faulty_->fail_always(StorageOperation::kRead, Error(ErrorCode::network, "down"));
    const auto result = storage_->read("k", 0, 1);
    EXPECT_EQ(result.error().message(), "down");
    EXPECT_THAT(result.error().context(), testing::ElementsAre("while giving up after attempt 5"));
    EXPECT_THAT(timer_.waits, testing::ElementsAre(milliseconds(100), milliseconds(200), milliseconds(300), milliseconds(300)));
}

TEST_F(RetryStorageTest, StopsWhenCancelledWhileWaiting) {
    faulty_->fail_always(StorageOperation::kRead, Error(ErrorCode::network, "down"));
    timer_.on_wait = [&] { cancel_.request_stop(); };
    EXPECT_EQ(storage_->read("k", 0, 1).error().code(), ErrorCode::cancelled);
    EXPECT_EQ(faulty_->calls(StorageOperation::kRead), 1);
}

TEST_F(RetryStorageTest, ReportsItsOwnObjectAsExistingWhenTheAnswerWasLost) {
    faulty_->fail(StorageOperation::kPut, 1, Error(ErrorCode::network, "reset"), Fault::kLostAnswer);
    EXPECT_EQ(*put("k", PutMode::kIfAbsent), PutOutcome::kAlreadyExists);
    EXPECT_EQ(as_text(*storage_->read("k", 0, 9)), "x");
}

TEST(SteadyRetryTimer, ReturnsAtOnceWhenCancelled) {
    SteadyRetryTimer timer;
    CancelSource cancel;
    cancel.request_stop();
    const auto begin = timer.now();
    timer.wait(std::chrono::hours(1), cancel.get_token());
    EXPECT_LT(timer.now() - begin, std::chrono::minutes(1));
}

}  // namespace
}  // namespace steward
