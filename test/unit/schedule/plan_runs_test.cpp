#include "core/schedule/plan_runs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>

namespace steward {
namespace {

using namespace std::chrono;
using ::testing::HasSubstr;

TimePoint at(std::string_view time) { return *parse_time(time); }

/// A job of 02:00 every day in UTC, of a cluster that has known it for long. It is Friday, 20 November 2026.
JobFacts nightly(std::string_view now) {
    return {.schedule = *parse_schedule("0 2 * * *"), .zone = TimeZone::utc(), .enabled_since = at("2026-01-01T00:00:00Z"), .now = at(now)};
}

#define EXPECT_WAITS(plan, until)                                           \
    do {                                                                    \
        const RunPlan waits_plan = (plan);                                  \
        EXPECT_EQ(waits_plan.decision, RunDecision::kWait) << waits_plan.reason; \
        EXPECT_EQ(format_time(*waits_plan.at), format_time(at(until)));     \
    } while (false)

#define EXPECT_RUNS(plan, due)                                              \
    do {                                                                    \
        const RunPlan runs_plan = (plan);                                   \
        EXPECT_EQ(runs_plan.decision, RunDecision::kRunNow) << runs_plan.reason; \
        EXPECT_EQ(format_time(*runs_plan.at), format_time(at(due)));        \
    } while (false)

TEST(PlanRun, WaitsForTheNextRunAndStartsItWhenItIsDue) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.last_run = at("2026-11-20T02:00:03Z");
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 0u);
    facts.now = at("2026-11-21T01:59:59.999999Z");
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    facts.now = at("2026-11-21T02:00:00Z");
    EXPECT_RUNS(plan_run(facts), "2026-11-21T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 0u);
    facts.last_run = facts.now;
    EXPECT_WAITS(plan_run(facts), "2026-11-22T02:00:00Z");
}

TEST(PlanRun, DoesNotCatchUpInAFreshInstallation) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.enabled_since = facts.now;
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    facts.now = at("2026-11-21T02:00:01Z");
    EXPECT_RUNS(plan_run(facts), "2026-11-21T02:00:00Z");
}

TEST(PlanRun, DoesNotCatchUpForAScheduleThatWasJustChanged) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.last_run = at("2026-11-15T00:00:00Z");
    facts.enabled_since = at("2026-11-20T11:59:00Z");
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 0u);
}

TEST(PlanRun, CatchesUpOnceHoweverManyRunsWereMissed) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.last_run = at("2026-11-16T02:00:00Z");
    const RunPlan plan = plan_run(facts);
    EXPECT_RUNS(plan, "2026-11-17T02:00:00Z");
    EXPECT_EQ(plan.missed, 3u);  // the 17th, 18th and 19th: today's is made up for
    EXPECT_EQ(plan.reason, "due since 2026-11-17T02:00:00.000000Z, and 3 other runs were missed");
    facts.last_run = facts.now;
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 0u);
}

TEST(PlanRun, CatchesUpWhenThereNeverWasARun) {
    JobFacts facts = nightly("2026-01-03T01:00:00Z");
    EXPECT_RUNS(plan_run(facts), "2026-01-01T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 1u);
}

TEST(PlanRun, SkipsARunThatBecomesDueWhileOneIsInProgress) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.schedule = *parse_schedule("@hourly");
    facts.last_run = at("2026-11-20T09:00:00Z");
    facts.running = true;
    EXPECT_WAITS(plan_run(facts), "2026-11-20T13:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 3u);
    // It ends between two runs: those of 10, 11 and 12 o'clock are not made up for.
    facts.running = false;
    facts.now = at("2026-11-20T12:30:00Z");
    facts.last_end = facts.now;
    EXPECT_WAITS(plan_run(facts), "2026-11-20T13:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 3u);
    facts.now = at("2026-11-20T13:00:00Z");
    EXPECT_RUNS(plan_run(facts), "2026-11-20T13:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 3u);
}

TEST(PlanRun, TriesAgainWithTheNextRunAfterAFailure) {
    JobFacts facts = nightly("2026-11-20T02:05:00Z");
    facts.last_run = at("2026-11-19T02:00:00Z");
    facts.last_end = at("2026-11-20T02:04:00Z");  // of a run that failed and does not count
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 1u);
    facts.now = at("2026-11-21T02:00:00Z");
    EXPECT_RUNS(plan_run(facts), "2026-11-21T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 1u);
}

TEST(PlanRun, IsQuietInRecoveryAndAwakeAfterPromotion) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.last_run = at("2026-11-18T02:00:00Z");
    facts.in_recovery = true;
    const RunPlan quiet = plan_run(facts);
    EXPECT_WAITS(quiet, "2026-11-21T02:00:00Z");
    EXPECT_EQ(quiet.missed, 0u);
    EXPECT_EQ(quiet.reason, "the server is in recovery");
    facts.in_recovery = false;
    EXPECT_RUNS(plan_run(facts), "2026-11-19T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 1u);
    facts.last_run = at("2026-11-20T02:00:00Z");  // the former primary was there until then
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
}

TEST(PlanRun, DelaysEveryRunByTheJitter) {
    JobFacts facts = nightly("2026-11-20T02:09:59Z");
    facts.jitter = minutes(10);
    facts.last_run = at("2026-11-19T02:10:01Z");
    EXPECT_WAITS(plan_run(facts), "2026-11-20T02:10:00Z");
    facts.now = at("2026-11-20T02:10:00Z");
    EXPECT_RUNS(plan_run(facts), "2026-11-20T02:10:00Z");
    facts.last_run = facts.now;
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:10:00Z");
    // Longer than the interval: runs are late, and none is left out.
    facts.schedule = *parse_schedule("*/5 * * * *");
    EXPECT_WAITS(plan_run(facts), "2026-11-20T02:15:00Z");
}

TEST(PlanRun, RunsNothingTwiceWhenTheClockIsSetBack) {
    JobFacts facts = nightly("2026-11-20T00:30:00Z");
    facts.schedule = *parse_schedule("@hourly");
    facts.last_run = at("2026-11-20T02:00:05Z");
    facts.last_end = at("2026-11-20T02:01:00Z");
    for (const char* now : {"2026-11-20T00:30:00Z", "2026-11-20T01:00:00Z", "2026-11-20T02:00:00Z", "2026-11-20T02:00:06Z"}) {
        facts.now = at(now);
        EXPECT_WAITS(plan_run(facts), "2026-11-20T03:00:00Z");
        EXPECT_EQ(plan_run(facts).missed, 0u);
    }
    facts.now = at("2026-11-20T01:00:00Z");
    EXPECT_THAT(plan_run(facts).reason, HasSubstr("the clock is behind"));
    facts.now = at("2026-11-20T03:00:00Z");
    EXPECT_RUNS(plan_run(facts), "2026-11-20T03:00:00Z");
}

TEST(PlanRun, RunsOnceWhenTheClockIsSetForward) {
    JobFacts facts = nightly("2026-11-20T02:00:00Z");
    facts.last_run = facts.now;
    facts.now = at("2026-11-25T12:00:00Z");
    EXPECT_RUNS(plan_run(facts), "2026-11-21T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 4u);
    facts.last_run = facts.now;
    EXPECT_WAITS(plan_run(facts), "2026-11-26T02:00:00Z");
}

TEST(PlanRun, DoesNotWaitForAClockThatWasFarAhead) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.last_run = at("2038-01-19T03:14:08Z");
    facts.last_end = at("2038-01-19T03:15:00Z");
    const RunPlan plan = plan_run(facts);
    EXPECT_RUNS(plan, "2026-11-20T12:00:00Z");
    EXPECT_EQ(plan.missed, 0u);
    // That run fails and does not count: the next is due as ever.
    facts.last_end = at("2026-11-20T12:10:00Z");
    facts.now = at("2026-11-20T12:11:00Z");
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    // It succeeds: so it is.
    facts.last_run = at("2026-11-20T12:00:00Z");
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    EXPECT_EQ(plan_run(facts).missed, 0u);
}

TEST(PlanRun, DoesNotWaitForAnInstallationThatLiesInTheFuture) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.enabled_since = at("2038-01-19T03:14:08Z");
    EXPECT_RUNS(plan_run(facts), "2026-11-20T12:00:00Z");
    facts.last_run = facts.now;
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
    facts.last_run.reset();
    facts.in_recovery = true;
    EXPECT_WAITS(plan_run(facts), "2026-11-21T02:00:00Z");
}

TEST(PlanRun, CountsMissedRunsUpToABound) {
    JobFacts facts = nightly("2026-11-20T12:00:00Z");
    facts.schedule = *parse_schedule("* * * * *");
    facts.last_run = facts.now - minutes(kMostMissed);
    EXPECT_EQ(plan_run(facts).missed, kMostMissed - 1);
    facts.last_run = facts.now - hours(24 * 365);
    EXPECT_EQ(plan_run(facts).missed, kMostMissed);
    facts.running = true;
    EXPECT_EQ(plan_run(facts).missed, kMostMissed);
}

TEST(PlanRun, WaitsForEverWhenTheCalendarHasNoFurtherRun) {
    JobFacts facts = nightly("9999-12-31T12:00:00Z");
    facts.last_run = facts.now;
    EXPECT_EQ(plan_run(facts).decision, RunDecision::kWait);
    EXPECT_FALSE(plan_run(facts).at);
}

TEST(PlanRun, RunsASkippedLocalTimeOnce) {
    JobFacts facts = nightly("2026-03-29T01:00:00Z");
    facts.zone = *find_time_zone("Europe/Berlin");
    facts.schedule = *parse_schedule("30 2 * * *");
    facts.last_run = at("2026-03-28T01:30:00Z");
    EXPECT_RUNS(plan_run(facts), "2026-03-29T01:00:00Z");
    facts.last_run = facts.now;
    EXPECT_WAITS(plan_run(facts), "2026-03-30T00:30:00Z");
}

TEST(JitterOf, IsConstantForAClusterAndWithinTheLimit) {
    EXPECT_EQ(jitter_of(7543210987654321000, minutes(30)), jitter_of(7543210987654321000, minutes(30)));
    EXPECT_EQ(jitter_of(7543210987654321000, seconds(0)), seconds(0));
    EXPECT_EQ(jitter_of(7543210987654321000, milliseconds(999)), seconds(0));
    std::set<Duration> seen;
    for (uint64_t id = 7543210987654321000; id < 7543210987654321000 + 200; ++id) {
        const Duration jitter = jitter_of(id, seconds(3));
        EXPECT_GE(jitter, seconds(0));
        EXPECT_LE(jitter, seconds(3));
        EXPECT_EQ(jitter % seconds(1), Duration(0));
        seen.insert(jitter);
    }
    EXPECT_EQ(seen.size(), 4u);  // both ends included
}

TEST(JitterOf, SpreadsClustersThatWereMadeOneAfterTheOther) {
    // Identifiers of initdb: seconds in the upper half, microseconds and the process number in the lower.
    unsigned early = 0;
    for (uint64_t n = 0; n < 1000; ++n)
        if (jitter_of((uint64_t{1763640000} + n) << 32 | n * 4096, hours(1)) < minutes(30)) ++early;
    EXPECT_GT(early, 400u);
    EXPECT_LT(early, 600u);
}

}  // namespace
}  // namespace steward
