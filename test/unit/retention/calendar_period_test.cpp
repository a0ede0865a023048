#include "core/retention/calendar_period.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

std::string name_at(PeriodKind kind, std::string_view utc) {
    const LocalTime time(parse_time(utc)->time_since_epoch());
    return period_name(kind, period_begin(kind, time));
}

TEST(CalendarPeriod, NamesDayMonthAndYear) {
    EXPECT_EQ(name_at(PeriodKind::kDay, "2026-11-19 23:59:59.999999Z"), "2026-11-19");
    EXPECT_EQ(name_at(PeriodKind::kDay, "2026-11-20 00:00:00Z"), "2026-11-20");
    EXPECT_EQ(name_at(PeriodKind::kMonth, "2024-02-29 12:00:00Z"), "2024-02");
    EXPECT_EQ(name_at(PeriodKind::kYear, "2026-12-31 23:59:59Z"), "2026");
}

TEST(CalendarPeriod, WeeksBeginOnMondayAndBelongToTheYearOfTheirThursday) {
    EXPECT_EQ(name_at(PeriodKind::kWeek, "2026-11-15 23:59:59Z"), "2026-W46");  // a Sunday
    EXPECT_EQ(name_at(PeriodKind::kWeek, "2026-11-16 00:00:00Z"), "2026-W47");
    EXPECT_EQ(name_at(PeriodKind::kWeek, "2027-01-03 12:00:00Z"), "2026-W53");
    EXPECT_EQ(name_at(PeriodKind::kWeek, "2024-12-30 12:00:00Z"), "2025-W01");
    EXPECT_EQ(name_at(PeriodKind::kWeek, "2026-01-01 12:00:00Z"), "2026-W01");
}

TEST(CalendarPeriod, IsOfTheZonesDay) {
    const auto day_in = [](const char* zone, std::string_view utc) {
        return period_name(PeriodKind::kDay, period_begin(PeriodKind::kDay, local_time_in(*find_time_zone(zone))(*parse_time(utc))));
    };
    EXPECT_EQ(day_in("UTC", "2026-11-19 11:30:00Z"), "2026-11-19");
    EXPECT_EQ(day_in("Pacific/Auckland", "2026-11-19 10:30:00Z"), "2026-11-19");
    EXPECT_EQ(day_in("Pacific/Auckland", "2026-11-19 11:30:00Z"), "2026-11-20") << "summer time, 13 hours ahead";
    EXPECT_EQ(day_in("Pacific/Auckland", "2026-07-19 11:30:00Z"), "2026-07-19") << "12 hours";
    EXPECT_EQ(day_in("America/Los_Angeles", "2026-11-19 07:59:00Z"), "2026-11-18");
}

TEST(CalendarPeriod, GoesBackBeyondTheEpoch) {
    EXPECT_EQ(name_at(PeriodKind::kDay, "1969-12-31 23:59:59.5Z"), "1969-12-31");
    EXPECT_EQ(name_at(PeriodKind::kWeek, "1969-12-31 23:59:59.5Z"), "1970-W01");
    EXPECT_EQ(minute_text(LocalTime(std::chrono::microseconds(-1))), "1969-12-31 23:59");
}

}  // namespace
}  // namespace steward
