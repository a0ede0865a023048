#include "core/backup/rate_limit.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kRate = 1'000'000;

/// Time passes only by waiting, and by the test's hand.
class RateTimer final : public RetryTimer {
public:
    std::chrono::steady_clock::time_point now() override { return time; }
    void wait(std::chrono::milliseconds duration, const CancelToken& cancel) override {
        if (!cancel.stop_requested()) time += duration;
        waits++;
    }
    std::chrono::steady_clock::time_point time{1000s};
    int waits = 0;
};

TEST(RateLimit, PassesNoMoreThanTheRateOverAnyLongTime) {
    RateTimer timer;
    RateLimit limit(kRate, timer);
    const auto begin = timer.time;
    uint64_t passed = 0;
    for (int i = 0; i < 1000; ++i) {
        const uint64_t bytes = 1 + static_cast<uint64_t>(i) * 7919 % 256'000;
        ASSERT_TRUE(limit.take(bytes, {}).ok());
        passed += bytes;
    }
    const double seconds = std::chrono::duration<double>(timer.time - begin).count();
    // The last piece is under way yet, and a tenth of a second could be made up for at first.
    EXPECT_NEAR(seconds, static_cast<double>(passed) / kRate, 0.1 + 0.256 + 0.001);
}

TEST(RateLimit, DoesNotMakeUpForALongPause) {
    RateTimer timer;
    RateLimit limit(kRate, timer);
    timer.time += 1h;
    const auto begin = timer.time;
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(limit.take(100'000, {}).ok());
    EXPECT_GE(timer.time - begin, 1800ms);
    EXPECT_LE(timer.time - begin, 2000ms);
}

TEST(RateLimit, DoesNotWaitWhereThereIsNone) {
    RateTimer timer;
    RateLimit limit(0, timer);
    ASSERT_TRUE(limit.take(uint64_t{1} << 40, {}).ok());
    EXPECT_EQ(timer.waits, 0);
}

TEST(RateLimit, EndsAWaitThatIsCancelled) {
    RateTimer timer;
    RateLimit limit(1, timer);
    ASSERT_TRUE(limit.take(1'000'000, {}).ok());
    CancelSource cancel;
    cancel.request_stop();
    EXPECT_EQ(limit.take(1, cancel.get_token()).error().code(), ErrorCode::cancelled);
    EXPECT_EQ(timer.waits, 1);
}

}  // namespace
}  // namespace steward
