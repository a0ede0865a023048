#include "core/base/processor_share.h"

#include <gtest/gtest.h>

#include "base/test_processor_meter.h"

namespace steward {
namespace {

using namespace std::chrono_literals;

TEST(ProcessorTimes, AreReadFromTheFirstLine) {
    const auto times = parse_processor_times("cpu  5283504 1363508 1780709 1854923 60347 5 31423 31716 7 9\ncpu0 1 2 3 4 5 6 7 8 9 10\n", 10ms);
    ASSERT_TRUE(times);
    EXPECT_EQ(times->busy, (5283504 + 1363508 + 1780709 + 5 + 31423) * 10ms) << "without what the hypervisor took";
    EXPECT_EQ(times->idle, (1854923 + 60347) * 10ms);
}

TEST(ProcessorTimes, AreNothingInOtherTexts) {
    for (const char* text : {"", "cpu", "cpu ", "cpu0 1 2 3 4 5 6 7 8\n", "cpu 1 2 3 4 5 6\n7 8 9", "cpu 1 2 x 4 5 6 7 8", "intr 1 2 3 4 5 6 7 8"})
        EXPECT_FALSE(parse_processor_times(text, 10ms)) << text;
}

TEST(AllowedShare, LeavesOthersWhatTheyTakeOnceMore) {
    EXPECT_DOUBLE_EQ(allowed_share(0.05, 0), 1);
    EXPECT_DOUBLE_EQ(allowed_share(0.05, 0.25), 0.5);
    EXPECT_DOUBLE_EQ(allowed_share(0.05, 0.375), 0.25);
}

TEST(AllowedShare, IsNeverLessThanTheLeast) {
    for (const double others : {0.48, 0.5, 0.87, 1.0}) EXPECT_DOUBLE_EQ(allowed_share(0.05, others), 0.05) << others;
}

/// Work in steps for that long, and return the part of all processors that was used.
double work(ProcessorShare& share, TestProcessorMeter& meter, std::chrono::nanoseconds duration) {
    const auto begun = meter.now();
    const auto used = meter.used();
    while (meter.now() - begun < duration) share.step_done();
    return static_cast<double>((meter.used() - used).count()) / static_cast<double>((meter.now() - begun).count()) / meter.processors();
}

TEST(ProcessorShare, IsTheLeastOnABusyMachine) {
    TestProcessorMeter meter(2, 0.8);
    ProcessorShare share(0.05, meter);
    work(share, meter, 500ms);
    EXPECT_NEAR(work(share, meter, 10s), 0.05, 0.002);
}

TEST(ProcessorShare, IsEverythingWhereNobodyElseIs) {
    TestProcessorMeter meter(1);
    ProcessorShare share(0.05, meter);
    EXPECT_DOUBLE_EQ(work(share, meter, 10s), 1);
    EXPECT_EQ(meter.waited(), 0ns);
}

TEST(ProcessorShare, IsPartOfWhatIsIdle) {
    TestProcessorMeter meter(1, 0.3);
    ProcessorShare share(0.05, meter);
    work(share, meter, 500ms);
    EXPECT_NEAR(work(share, meter, 10s), 0.4, 0.01);
}

TEST(ProcessorShare, FollowsWhatOthersDo) {
    TestProcessorMeter meter(1, 0.9);
    ProcessorShare share(0.02, meter);
    work(share, meter, 5s);
    meter.let_others_use(0);
    work(share, meter, 300ms);
    EXPECT_DOUBLE_EQ(work(share, meter, 1s), 1) << "at once, without making up for it";
    meter.let_others_use(0.9);
    work(share, meter, 300ms);
    EXPECT_NEAR(work(share, meter, 10s), 0.02, 0.002);
}

TEST(ProcessorShare, HoldsNothingBackWhereTheSystemDoesNotTell) {
    TestProcessorMeter meter(1, 0.9);
    meter.tell_nothing();
    ProcessorShare share(0.05, meter);
    EXPECT_NEAR(work(share, meter, 10s), 0.1, 0.001);
    EXPECT_EQ(meter.waited(), 0ns);
}

TEST(ProcessorShare, KnowsTheMachine) {
    SystemProcessorMeter meter;
    const auto before = meter.times();
    const auto used = meter.used();
    ASSERT_TRUE(before);
    EXPECT_GT(before->busy, 0ns);
    ProcessorShare share(0.5, meter);
    while (meter.used() == used || meter.times()->busy == before->busy) share.step_done();
    EXPECT_GE(meter.processors(), 1u);
}

}  // namespace
}  // namespace steward
