#include "core/schedule/next_run.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace steward {
namespace {

using namespace std::chrono;
using ::testing::ElementsAre;

/// The next `n` runs after `after` as "2026-03-29T01:00Z".
std::vector<std::string> runs(std::string_view expression, std::string_view zone, std::string_view after, size_t n) {
    std::vector<std::string> texts;
    for (const TimePoint run : next_runs(*parse_schedule(expression), *find_time_zone(zone), *parse_time(after), n)) {
        const std::string text = format_time(run);
        EXPECT_TRUE(text.ends_with(":00.000000Z")) << text;
        texts.push_back(text.substr(0, 16) + "Z");
    }
    return texts;
}

TEST(NextRun, IsStrictlyLater) {
    EXPECT_THAT(runs("30 2 * * *", "UTC", "2026-11-20T02:29:59.999999Z", 1), ElementsAre("2026-11-20T02:30Z"));
    EXPECT_THAT(runs("30 2 * * *", "UTC", "2026-11-20T02:30:00Z", 1), ElementsAre("2026-11-21T02:30Z"));
    EXPECT_THAT(runs("* * * * *", "UTC", "2026-11-20T02:29:59.999999Z", 2), ElementsAre("2026-11-20T02:30Z", "2026-11-20T02:31Z"));
    EXPECT_THAT(runs("* * * * *", "UTC", "2026-11-20T02:30:00Z", 1), ElementsAre("2026-11-20T02:31Z"));
}

TEST(NextRun, ReadsTheScheduleInLocalTime) {
    EXPECT_THAT(runs("30 2 * * *", "Europe/Berlin", "2026-11-20T00:00:00Z", 2), ElementsAre("2026-11-20T01:30Z", "2026-11-21T01:30Z"));
    EXPECT_THAT(runs("0 0 1 * *", "America/New_York", "2026-11-20T00:00:00Z", 2), ElementsAre("2026-12-01T05:00Z", "2027-01-01T05:00Z"));
    // A quarter of an hour off the hours of UTC.
    EXPECT_THAT(runs("@hourly", "Asia/Kathmandu", "2026-11-20T00:00:00Z", 2), ElementsAre("2026-11-20T00:15Z", "2026-11-20T01:15Z"));
    EXPECT_THAT(runs("30 2 * * mon", "Asia/Kathmandu", "2026-11-20T00:00:00Z", 1), ElementsAre("2026-11-22T20:45Z"));
}

TEST(NextRun, RunsASkippedTimeOnceRightAfterTheGap) {
    // Berlin: 02:00 becomes 03:00 at 01:00Z.
    EXPECT_THAT(runs("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2), ElementsAre("2026-03-29T01:00Z", "2026-03-30T00:30Z"));
    EXPECT_THAT(runs("*/15 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2), ElementsAre("2026-03-29T01:00Z", "2026-03-30T00:00Z"));
    EXPECT_THAT(runs("30 1-3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 3),
                ElementsAre("2026-03-29T00:30Z", "2026-03-29T01:00Z", "2026-03-29T01:30Z"));
    // A skipped run falls together with one of the first minute after the gap.
    EXPECT_THAT(runs("0 2,3 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 2), ElementsAre("2026-03-29T01:00Z", "2026-03-30T00:00Z"));
    // New York: 02:00 becomes 03:00 at 07:00Z.
    EXPECT_THAT(runs("59 2 * * *", "America/New_York", "2026-03-08T00:00:00Z", 2), ElementsAre("2026-03-08T07:00Z", "2026-03-09T06:59Z"));
    // Lord Howe: 02:00 becomes 02:30 at 15:30Z of the day before.
    EXPECT_THAT(runs("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 2), ElementsAre("2026-10-03T15:30Z", "2026-10-04T15:15Z"));
    EXPECT_THAT(runs("45 2 * * *", "Australia/Lord_Howe", "2026-10-03T00:00:00Z", 1), ElementsAre("2026-10-03T15:45Z"));
}

TEST(NextRun, RunsARepeatedTimeAtItsFirstOccurrence) {
    // Berlin: 03:00 becomes 02:00 at 01:00Z.
    EXPECT_THAT(runs("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2), ElementsAre("2026-10-25T00:30Z", "2026-10-26T01:30Z"));
    // Also for one who asks in the repeated hour.
    EXPECT_THAT(runs("30 2 * * *", "Europe/Berlin", "2026-10-25T01:10:00Z", 1), ElementsAre("2026-10-26T01:30Z"));
    EXPECT_THAT(runs("*/30 2,3 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 3),
                ElementsAre("2026-10-25T00:00Z", "2026-10-25T00:30Z", "2026-10-25T02:00Z"));
    EXPECT_THAT(runs("30 1 * * *", "America/New_York", "2026-11-01T00:00:00Z", 2), ElementsAre("2026-11-01T05:30Z", "2026-11-02T06:30Z"));
    // Lord Howe: 02:00 becomes 01:30 at 15:00Z of the day before.
    EXPECT_THAT(runs("45 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 2), ElementsAre("2026-04-04T14:45Z", "2026-04-05T15:15Z"));
    EXPECT_THAT(runs("15 1 * * *", "Australia/Lord_Howe", "2026-04-04T00:00:00Z", 1), ElementsAre("2026-04-04T14:15Z"));
}

TEST(NextRun, GoesByRealTimeWhenTheHourIsAnInterval) {
    EXPECT_THAT(runs("30 * * * *", "Europe/Berlin", "2026-03-29T00:00:00Z", 3),
                ElementsAre("2026-03-29T00:30Z", "2026-03-29T01:30Z", "2026-03-29T02:30Z"));
    EXPECT_THAT(runs("30 * * * *", "Europe/Berlin", "2026-10-25T00:00:00Z", 3),
                ElementsAre("2026-10-25T00:30Z", "2026-10-25T01:30Z", "2026-10-25T02:30Z"));
    // Every other hour: 02:00 comes not at all in spring and twice in autumn.
    EXPECT_THAT(runs("0 */2 * * *", "Europe/Berlin", "2026-03-28T22:00:00Z", 2), ElementsAre("2026-03-28T23:00Z", "2026-03-29T02:00Z"));
    EXPECT_THAT(runs("0 */2 * * *", "Europe/Berlin", "2026-10-24T23:00:00Z", 3),
                ElementsAre("2026-10-25T00:00Z", "2026-10-25T01:00Z", "2026-10-25T03:00Z"));
    // Lord Howe's half hour: 02:00 is skipped and 02:30 is there; 01:45 comes twice.
    EXPECT_THAT(runs("*/30 * * * *", "Australia/Lord_Howe", "2026-10-03T14:45:00Z", 3),
                ElementsAre("2026-10-03T15:00Z", "2026-10-03T15:30Z", "2026-10-03T16:00Z"));
    EXPECT_THAT(runs("45 * * * *", "Australia/Lord_Howe", "2026-04-04T14:00:00Z", 3),
                ElementsAre("2026-04-04T14:45Z", "2026-04-04T15:15Z", "2026-04-04T16:15Z"));
}

TEST(NextRun, RunsOnceForADayThatAPlaceSkipped) {
    // Apia went from the end of 29 December 2011 to the beginning of the 31st, at 10:00Z of the 30th.
    EXPECT_THAT(runs("0 2 * * *", "Pacific/Apia", "2011-12-29T00:00:00Z", 3),
                ElementsAre("2011-12-29T12:00Z", "2011-12-30T10:00Z", "2011-12-30T12:00Z"));
    EXPECT_THAT(runs("0 */12 * * *", "Pacific/Apia", "2011-12-29T12:00:00Z", 3),
                ElementsAre("2011-12-29T22:00Z", "2011-12-30T10:00Z", "2011-12-30T22:00Z"));
    EXPECT_THAT(runs("30 6 30 12 *", "Pacific/Apia", "2011-01-01T00:00:00Z", 2), ElementsAre("2011-12-30T10:00Z", "2012-12-29T16:30Z"));
    EXPECT_THAT(runs("30 * 30 12 *", "Pacific/Apia", "2011-01-01T00:00:00Z", 1), ElementsAre("2012-12-29T10:30Z"));
}

TEST(NextRun, RunsOnceForADayThatAPlaceHadTwice) {
    // Kwajalein crossed the date line westwards: in 1969 from +11 to -12, 23 hours again.
    EXPECT_THAT(runs("0 2 * * *", "Pacific/Kwajalein", "1969-09-29T00:00:00Z", 3),
                ElementsAre("1969-09-29T15:00Z", "1969-10-01T14:00Z", "1969-10-02T14:00Z"));
}

TEST(NextRun, FindsTheRarestSchedules) {
    EXPECT_THAT(runs("0 0 29 2 *", "UTC", "2096-03-01T00:00:00Z", 1), ElementsAre("2104-02-29T00:00Z"));
    // A 29 February that is a Sunday: the gaps of a Gregorian cycle are 12, 28 and 40 years.
    EXPECT_THAT(runs("0 0 29 2 */7", "UTC", "2026-01-01T00:00:00Z", 5),
                ElementsAre("2032-02-29T00:00Z", "2060-02-29T00:00Z", "2088-02-29T00:00Z", "2128-02-29T00:00Z", "2156-02-29T00:00Z"));
    EXPECT_THAT(runs("0 * 29 2 */7", "UTC", "2088-02-29T23:00:00Z", 1), ElementsAre("2128-02-29T00:00Z"));
}

TEST(NextRun, AlwaysFindsARunOfAScheduleThatIsTaken) {
    // The rarest of all, through a whole cycle of the Gregorian calendar.
    const Schedule schedule = *parse_schedule("0 0 29 2 */7");
    TimePoint time = *parse_time("2000-03-01T00:00:00Z");
    while (time < *parse_time("2400-03-01T00:00:00Z")) {
        const auto next = next_run(schedule, TimeZone::utc(), time);
        ASSERT_TRUE(next) << format_time(time);
        time = *next;
    }
}

TEST(NextRun, EndsWithTheCalendar) {
    const Schedule daily = *parse_schedule("@daily"), hourly = *parse_schedule("@hourly");
    for (const Schedule& schedule : {daily, hourly}) {
        EXPECT_FALSE(next_run(schedule, TimeZone::utc(), TimePoint::max()));
        EXPECT_FALSE(next_run(schedule, *find_time_zone("Europe/Berlin"), *parse_time("9999-12-31T00:00:00Z")));
        EXPECT_TRUE(next_run(schedule, *find_time_zone("Europe/Berlin"), TimePoint::min()));
        EXPECT_EQ(next_runs(schedule, TimeZone::utc(), *parse_time("9999-12-29T23:30:00Z"), 1).size(), 1u);
    }
    EXPECT_EQ(next_runs(daily, TimeZone::utc(), *parse_time("9999-12-28T23:30:00Z"), 9).size(), 2u);
}

TEST(NextRuns, ReturnsAsManyAsAsked) {
    EXPECT_TRUE(runs("@daily", "UTC", "2026-11-20T02:00:00Z", 0).empty());
    EXPECT_THAT(runs("@monthly", "UTC", "2026-11-20T02:00:00Z", 3),
                ElementsAre("2026-12-01T00:00Z", "2027-01-01T00:00Z", "2027-02-01T00:00Z"));
}

}  // namespace
}  // namespace steward
