#include "core/retention/calendar_period.h"

#include <utility>

#include "core/base/format.h"

namespace steward {

using namespace std::chrono;

ToLocalTime local_time_in(TimeZone zone) {
    return [zone = std::move(zone)](TimePoint time) { return LocalTime(time.time_since_epoch() + zone.span_at(time).offset); };
}

local_days period_begin(PeriodKind kind, LocalTime time) {
    const auto day = floor<days>(time);
    const year_month_day date{day};
    switch (kind) {
        case PeriodKind::kDay: break;
        case PeriodKind::kWeek: return day - (weekday(day) - Monday);
        case PeriodKind::kMonth: return local_days(date.year() / date.month() / 1);
        case PeriodKind::kYear: return local_days(date.year() / January / 1);
    }
    return day;
}

std::string period_name(PeriodKind kind, local_days begin) {
    const year_month_day date{begin};
    const int year = static_cast<int>(date.year());
    const unsigned month = static_cast<unsigned>(date.month());
    switch (kind) {
        case PeriodKind::kDay: break;
        case PeriodKind::kWeek: {
            // ISO 8601: a week belongs to the year that has its Thursday.
            const local_days thursday = begin + days(3);
            const auto thursdays_year = year_month_day{thursday}.year();
            const auto week = (thursday - local_days(thursdays_year / January / 1)) / days(7) + 1;
            return formatted("{:04}-W{:02}", static_cast<int>(thursdays_year), week);
        }
        case PeriodKind::kMonth: return formatted("{:04}-{:02}", year, month);
        case PeriodKind::kYear: return formatted("{:04}", year);
    }
    return formatted("{:04}-{:02}-{:02}", year, month, static_cast<unsigned>(date.day()));
}

std::string minute_text(LocalTime time) {
    const auto day = floor<days>(time);
    const hh_mm_ss<microseconds> clock(time - day);
    return formatted("{} {:02}:{:02}", period_name(PeriodKind::kDay, day), clock.hours().count(), clock.minutes().count());
}

}  // namespace steward
