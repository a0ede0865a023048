#include "core/restore/restore_progress.h"

#include <gtest/gtest.h>

#include "core/base/bytes.h"

namespace steward {
namespace {

using namespace std::chrono_literals;

constexpr uint64_t kGb = uint64_t{1} << 30;

TEST(DescribeProgress, NamesThePhaseAloneWhereTheAmountIsUnknown) {
    EXPECT_EQ(describe({"reading the repository", 0, 7, false}, 1h), "reading the repository");
}

TEST(DescribeProgress, TellsRateAndTimeLeftOnceTheyMeanSomething) {
    const ProgressSample quarter{"restoring files", 4 * kGb, kGb, true};
    EXPECT_EQ(describe(quarter, 1s), "restoring files: 25%, " + pretty_size(kGb) + " of " + pretty_size(4 * kGb));
    EXPECT_EQ(describe(quarter, 10s), describe(quarter, 1s) + ", " + pretty_size(kGb / 10) + "/s, 30 s left");
    EXPECT_EQ(describe({"restoring files", 4 * kGb, 0, true}, 1h), "restoring files: 0%, " + pretty_size(0) + " of " + pretty_size(4 * kGb));
}

TEST(DescribeProgress, TellsLongTimesInLargerUnits) {
    EXPECT_EQ(describe({"scanning WAL", 100, 50, false}, 65s), "scanning WAL: 50%, 50 of 100, 1 min 05 s left");
    EXPECT_EQ(describe({"scanning WAL", 100, 50, false}, 3'900s), "scanning WAL: 50%, 50 of 100, 1 h 05 min left");
}

TEST(DescribeProgress, NeverPromisesMoreThanAll) {
    EXPECT_EQ(describe({"flushing to disk", 10, 11, false}, 10s), "flushing to disk: 100%, 10 of 10");
}

TEST(SampleProgress, TakesWhatWorkSays) {
    RestoreProgress progress;
    progress.begin("restoring files", 10, true);
    progress.done += 4;
    const ProgressSample taken = sample(progress);
    EXPECT_STREQ(taken.phase, "restoring files");
    EXPECT_EQ(taken.total, 10u);
    EXPECT_EQ(taken.done, 4u);
    EXPECT_TRUE(taken.in_bytes);
}

}  // namespace
}  // namespace steward
