#include "core/schedule/next_run.h"

#include <algorithm>

namespace steward {

using namespace std::chrono;

namespace {

using LocalTime = local_time<microseconds>;
using LocalMinute = local_time<minutes>;

constexpr TimePoint kFirstTime = sys_days(year(1) / January / 1);
constexpr TimePoint kLastTime = sys_days(year(9999) / December / 31);

// The rarest schedule is 29 February on one day of the week. Around a year 2100 that is no leap year, 40 years lie between two.
constexpr days kSearched{41 * 366};

// More than any place has ever been ahead of UTC or behind it.
constexpr days kLargestOffset{1};

LocalTime local_at(TimePoint time, seconds offset) { return LocalTime(time.time_since_epoch() + offset); }
TimePoint instant_at(LocalTime time, seconds offset) { return TimePoint(time.time_since_epoch() - offset); }

/// The first local minute from `from` on and before `limit` that the schedule names.
std::optional<LocalMinute> next_match(const Schedule& schedule, LocalMinute from, LocalMinute limit) {
    minutes start = from - floor<days>(from);
    for (local_days day = floor<days>(from); day < limit; start = minutes(0)) {
        const year_month_day date(day);
        if (!schedule.includes(date.month())) {
            day = local_days((date.year() / date.month() + months(1)) / 1);
            continue;
        }
        const auto minute = schedule.includes(date) ? schedule.next_minute(start) : std::nullopt;
        if (minute) return day + *minute < limit ? std::optional<LocalMinute>(day + *minute) : std::nullopt;
        day += days(1);
    }
    return std::nullopt;
}

/// The first instant at which local time is `time`; when that time is left out, the first one after the gap.
TimePoint first_instant(const TimeZone& zone, LocalMinute time) {
    ZoneSpan span = zone.span_at(instant_at(time, seconds(0)) - kLargestOffset);
    while (instant_at(time, span.offset) >= span.end) span = zone.span_at(span.end);
    return std::max(instant_at(time, span.offset), span.begin);
}

/// Runs by the clock on the wall: a local time is one run. first_instant() never decreases with local time, so the first match
/// whose instant lies after `after` is the next run. Those before it, all within a repeated hour, have run at its first occurrence.
std::optional<TimePoint> next_by_wall_clock(const Schedule& schedule, const TimeZone& zone, TimePoint after) {
    const LocalTime now = local_at(after, zone.span_at(after).offset);
    const LocalMinute limit = floor<minutes>(now + kSearched);
    for (LocalMinute from = floor<minutes>(now);;) {
        const auto match = next_match(schedule, from, limit);
        if (!match) return std::nullopt;
        const TimePoint instant = first_instant(zone, *match);
        if (instant > after) return instant;
        from = *match + minutes(1);
    }
}

/// Runs by real time: each instant at which the clock on the wall shows a time of the schedule. One span after the other, since within
/// one local time and real time advance together.
std::optional<TimePoint> next_by_real_time(const Schedule& schedule, const TimeZone& zone, TimePoint after) {
    const TimePoint limit = after + kSearched;
    for (TimePoint begin = after + microseconds(1); begin < limit;) {
        const ZoneSpan span = zone.span_at(begin);
        const TimePoint end = std::min(span.end, limit);
        const auto match = next_match(schedule, ceil<minutes>(local_at(begin, span.offset)), ceil<minutes>(local_at(end, span.offset)));
        if (match) return instant_at(*match, span.offset);
        begin = end;
    }
    return std::nullopt;
}

}  // namespace

std::optional<TimePoint> next_run(const Schedule& schedule, const TimeZone& zone, TimePoint after) {
    if (after >= kLastTime) return std::nullopt;
    after = std::max(after, kFirstTime);
    const auto next = schedule.follows_real_time() ? next_by_real_time(schedule, zone, after) : next_by_wall_clock(schedule, zone, after);
    return next && *next < kLastTime ? next : std::nullopt;
}

std::vector<TimePoint> next_runs(const Schedule& schedule, const TimeZone& zone, TimePoint after, size_t n) {
    std::vector<TimePoint> runs;
    while (runs.size() < n) {
        const auto next = next_run(schedule, zone, runs.empty() ? after : runs.back());
        if (!next) break;
        runs.push_back(*next);
    }
    return runs;
}

}  // namespace steward
