// When something is to happen, in the notation of cron.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace steward {

/// A parsed schedule: which minutes of which days it names, in local time of a zone that is given elsewhere. A value.
class Schedule {
public:
    /// As it was written, without surrounding blanks.
    const std::string& expression() const { return expression_; }

    /// Whether the month field names `month`. `month` must be ok().
    bool includes(std::chrono::month month) const { return has(months_, static_cast<unsigned>(month)); }

    /// Whether the month field and the two day fields together name `day`, which must be ok().
    bool includes(std::chrono::year_month_day day) const;

    /// The first minute that hour and minute fields name at or after `from`, which counts from 00:00; nothing when the rest of
    /// the day has none.
    std::optional<std::chrono::minutes> next_minute(std::chrono::minutes from) const;

    /// Whether the hour field begins with "*": such a schedule goes by real time when the clocks change
    /// (docs/decisions/0005-daylight-saving.md).
    bool follows_real_time() const { return every_hour_; }

private:
    friend Result<Schedule> parse_schedule(std::string_view expression);
    Schedule() = default;

    static bool has(uint64_t set, unsigned value) { return (set >> value & 1) != 0; }

    std::string expression_;
    uint64_t minutes_ = 0;  ///< in all sets, bit N says that the field names N
    uint64_t hours_ = 0;
    uint64_t days_of_month_ = 0;
    uint64_t months_ = 0;
    uint64_t days_of_week_ = 0;  ///< 0 is Sunday
    bool every_hour_ = false;
    bool either_day_ = false;  ///< both day fields are restricted: a day that one of them names is enough
};

/// Parse `expression`: the five fields of cron (minute, hour, day of month, month, day of week), separated by blanks, or one of
/// @hourly, @daily, @midnight, @weekly, @monthly, @yearly, @annually.
///
/// A field is a list of items, separated by commas: "*", a number, a range "a-b", and "*/n" or "a-b/n" for every nth value. Months
/// and days of the week also have English names of three letters; Sunday is 0 and 7. Upper and lower case are the same. A day must
/// be named by both day fields, unless neither begins with "*": then one is enough, as in Vixie's cron.
///
/// Errors: invalid_argument, with the field in the detail and the cure in the hint, also for days that no year has. Pure.
Result<Schedule> parse_schedule(std::string_view expression);

}  // namespace steward
