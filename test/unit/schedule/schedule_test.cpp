#include "core/schedule/schedule.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

namespace steward {
namespace {

using namespace std::chrono;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Schedule parsed(std::string_view expression) {
    auto schedule = parse_schedule(expression);
    EXPECT_TRUE(schedule.ok()) << schedule.error().to_string();
    return schedule.ok() ? *schedule : *parse_schedule("@daily");
}

/// Minutes of the day that a schedule names, as hour * 100 + minute.
std::vector<int> times_of(std::string_view expression) {
    const Schedule schedule = parsed(expression);
    std::vector<int> times;
    for (auto minute = schedule.next_minute(minutes(0)); minute; minute = schedule.next_minute(*minute + minutes(1))) {
        times.push_back(static_cast<int>(minute->count() / 60 * 100 + minute->count() % 60));
        if (*minute == minutes(1439)) break;
    }
    return times;
}

/// Days of a month that a schedule names.
std::vector<unsigned> days_of(std::string_view expression, year_month when) {
    const Schedule schedule = parsed(expression);
    std::vector<unsigned> found;
    for (unsigned d = 1; d <= 31; ++d) {
        const year_month_day date = when / day(d);
        if (date.ok() && schedule.includes(date)) found.push_back(d);
    }
    return found;
}

std::vector<unsigned> months_of(std::string_view expression) {
    const Schedule schedule = parsed(expression);
    std::vector<unsigned> found;
    for (unsigned m = 1; m <= 12; ++m)
        if (schedule.includes(month(m))) found.push_back(m);
    return found;
}

Error refused(std::string_view expression) {
    const auto schedule = parse_schedule(expression);
    EXPECT_FALSE(schedule.ok()) << expression;
    if (schedule.ok()) return Error(ErrorCode::internal, "");
    EXPECT_EQ(schedule.error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(schedule.error().message(), HasSubstr(expression));
    EXPECT_FALSE(schedule.error().detail().empty()) << expression;
    EXPECT_FALSE(schedule.error().hint().empty()) << expression;
    return schedule.error();
}

constexpr year_month kNovember2026 = year(2026) / November;  // the 1st is a Sunday

TEST(ParseSchedule, ReadsValuesListsRangesAndSteps) {
    EXPECT_THAT(times_of("5 4 * * *"), ElementsAre(405));
    EXPECT_THAT(times_of("0,30,7 4,16 * * *"), ElementsAre(400, 407, 430, 1600, 1607, 1630));
    EXPECT_THAT(times_of("58-59 22-23 * * *"), ElementsAre(2258, 2259, 2358, 2359));
    EXPECT_THAT(times_of("*/20 1 * * *"), ElementsAre(100, 120, 140));
    EXPECT_THAT(times_of("10-40/15 1 * * *"), ElementsAre(110, 125, 140));
    EXPECT_THAT(times_of("59,1-3/2,*/30 1 * * *"), ElementsAre(100, 101, 103, 130, 159));
    EXPECT_THAT(times_of("*/60 */24 * * *"), ElementsAre(0));
    EXPECT_EQ(times_of("* * * * *").size(), 1440u);
}

TEST(ParseSchedule, ReadsNamesInEitherCase) {
    EXPECT_THAT(months_of("0 0 1 jan,MAR-May,12 *"), ElementsAre(1, 3, 4, 5, 12));
    EXPECT_THAT(days_of("0 0 * * Mon", kNovember2026), ElementsAre(2, 9, 16, 23, 30));
    EXPECT_THAT(days_of("0 0 * * tue-THU/2", kNovember2026), ElementsAre(3, 5, 10, 12, 17, 19, 24, 26));
}

TEST(ParseSchedule, TakesZeroAndSevenForSunday) {
    const std::vector<unsigned> sundays = {1, 8, 15, 22, 29};
    EXPECT_EQ(days_of("0 0 * * 0", kNovember2026), sundays);
    EXPECT_EQ(days_of("0 0 * * 7", kNovember2026), sundays);
    EXPECT_EQ(days_of("0 0 * * sun", kNovember2026), sundays);
    EXPECT_THAT(days_of("0 0 * * 6-7", kNovember2026), ElementsAre(1, 7, 8, 14, 15, 21, 22, 28, 29));
    EXPECT_EQ(days_of("0 0 * * sat-sun", kNovember2026), days_of("0 0 * * 6,0", kNovember2026));
    EXPECT_EQ(days_of("0 0 * * sun-mon", kNovember2026), days_of("0 0 * * 0,1", kNovember2026));
    EXPECT_EQ(days_of("0 0 * * sun-7", kNovember2026).size(), 30u);
}

TEST(ParseSchedule, ReadsShortForms) {
    EXPECT_EQ(times_of("@hourly").size(), 24u);
    EXPECT_THAT(times_of("@daily"), ElementsAre(0));
    EXPECT_THAT(times_of("@midnight"), ElementsAre(0));
    EXPECT_THAT(days_of("@weekly", kNovember2026), ElementsAre(1, 8, 15, 22, 29));
    EXPECT_THAT(days_of("@Monthly", kNovember2026), ElementsAre(1));
    EXPECT_THAT(months_of("@monthly").size(), 12u);
    EXPECT_THAT(months_of("@yearly"), ElementsAre(1));
    EXPECT_THAT(months_of("@annually"), ElementsAre(1));
    EXPECT_EQ(parsed(" @daily ").expression(), "@daily");
}

TEST(ParseSchedule, IsNotParticularAboutBlanks) {
    EXPECT_EQ(parsed("\t30  2 *\t* * \n").expression(), "30  2 *\t* *");
    EXPECT_THAT(times_of(" 30\t2  * * *  "), ElementsAre(230));
}

TEST(ParseSchedule, NeedsOneOfTwoRestrictedDayFields) {
    EXPECT_THAT(days_of("0 0 13 * fri", kNovember2026), ElementsAre(6, 13, 20, 27));
    EXPECT_THAT(days_of("0 0 14 * fri", kNovember2026), ElementsAre(6, 13, 14, 20, 27));
    EXPECT_THAT(days_of("0 0 14 * *", kNovember2026), ElementsAre(14));
    EXPECT_THAT(days_of("0 0 * * fri", kNovember2026), ElementsAre(6, 13, 20, 27));
}

TEST(ParseSchedule, NeedsBothDayFieldsWhenOneBeginsWithAStar) {
    EXPECT_THAT(days_of("0 0 */14 * sun", kNovember2026), ElementsAre(1, 15, 29));
    EXPECT_THAT(days_of("0 0 1-7 * */7", kNovember2026), ElementsAre(1));
    // All days by number are a restriction that every day passes.
    EXPECT_EQ(days_of("0 0 1-31 * fri", kNovember2026).size(), 30u);
}

TEST(ParseSchedule, FollowsRealTimeWhenTheHourBeginsWithAStar) {
    for (const char* interval : {"* * * * *", "30 * * * *", "0 */2 1 * *", "@hourly"}) EXPECT_TRUE(parsed(interval).follows_real_time());
    for (const char* fixed : {"* 2 * * *", "*/5 0-23 * * *", "@daily", "0 1,*/2 * * *"}) EXPECT_FALSE(parsed(fixed).follows_real_time());
}

TEST(ParseSchedule, NamesTheFieldAndTheCure) {
    EXPECT_EQ(refused("60 2 * * *").detail(), "Field \"minute\" has \"60\".");
    EXPECT_EQ(refused("60 2 * * *").hint(), "A minute is a number from 0 to 59.");
    EXPECT_EQ(refused("0 24 * * *").detail(), "Field \"hour\" has \"24\".");
    EXPECT_EQ(refused("0 0 0 * *").hint(), "A day of month is a number from 1 to 31.");
    EXPECT_EQ(refused("0 0 * 13 *").detail(), "Field \"month\" has \"13\".");
    EXPECT_EQ(refused("0 0 * * fir").hint(), "A day of week is a number from 0 to 7, or one of sun, mon, tue, wed, thu, fri, sat.");
    EXPECT_EQ(refused("5/15 2 * * *").hint(), "Write a range before the step: \"5-59/15\".");
    EXPECT_EQ(refused("0 22-6 * * *").detail(), "Field \"hour\" has the range \"22-6\", which ends before it begins.");
    EXPECT_EQ(refused("*/90 * * * *").detail(), "Field \"minute\" has the step \"90\".");
    EXPECT_EQ(refused("*/90 * * * *").hint(), "A step in this field is a number from 1 to 60: its values begin anew with each hour.");
    EXPECT_EQ(refused("0 2 * *").detail(), "It has 4 fields instead of 5.");
    EXPECT_EQ(refused("0 0 2 * * *").detail(), "It has 6 fields instead of 5.");
    EXPECT_EQ(refused("daily").detail(), "It has 1 field instead of 5.");
    EXPECT_EQ(refused("").detail(), "It has 0 fields instead of 5.");
    EXPECT_THAT(refused("@reboot").hint(), HasSubstr("@daily"));
}

TEST(ParseSchedule, RefusesWhatOnlyLooksLikeAValue) {
    for (const char* expression :
         {"-1 * * * *", "+1 * * * *", "1- * * * *", "1-2-3 * * * *", "*/0 * * * *", "*/ * * * *", "*/-1 * * * *", "*-5 * * * *",
          "1,,2 * * * *", ", * * * *", "1.5 * * * *", "0x1 * * * *", "4294967296 * * * *", "99999999999999999999 * * * *",
          "** * * * *", "*/5/5 * * * *", "jan * * * *", "* * * mon *", "* * * * 8", "* * * * 1-8", "* * ? * *", "* * L * *",
          "@ * * * *", "H * * * *", "7-6 * * * *", "* * * * 6-0", "@"})
        EXPECT_NE(refused(expression).hint(), "") << expression;
}

TEST(ParseSchedule, RefusesDaysThatNoYearHas) {
    EXPECT_EQ(refused("0 0 30 2 *").message(), "schedule \"0 0 30 2 *\" never comes");
    EXPECT_EQ(refused("0 0 31 apr,jun,9,11 *").detail(),
              "Field \"day of month\" has \"31\" and field \"month\" has \"apr,jun,9,11\": no year has such a day.");
    EXPECT_EQ(refused("0 0 30-31 2 */2").message(), "schedule \"0 0 30-31 2 */2\" never comes");
    EXPECT_TRUE(parse_schedule("0 0 29 2 *").ok());
    EXPECT_TRUE(parse_schedule("0 0 31 4,5 *").ok());
    // One of two restricted day fields is enough: Mondays in February.
    EXPECT_TRUE(parse_schedule("0 0 30 2 mon").ok());
}

}  // namespace
}  // namespace steward
