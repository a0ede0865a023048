// Days, weeks, months and years of a local calendar.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "core/base/clock.h"
#include "core/schedule/time_zone.h"

namespace steward {

/// What a clock on the wall shows; the operator's time zone is in the function that makes it (local_time_in).
using LocalTime = std::chrono::local_time<std::chrono::microseconds>;
using ToLocalTime = std::function<LocalTime(TimePoint)>;

/// The clocks of `zone`. Pure.
ToLocalTime local_time_in(TimeZone zone);

enum class PeriodKind { kDay, kWeek, kMonth, kYear };

/// The first day of the period that `time` is in. Weeks begin on Monday (ISO 8601).
std::chrono::local_days period_begin(PeriodKind kind, LocalTime time);

/// "2026-11-19", "2026-W47", "2026-11", "2026": the period that begins on `begin`.
std::string period_name(PeriodKind kind, std::chrono::local_days begin);

/// "2026-10-22 11:00".
std::string minute_text(LocalTime time);

}  // namespace steward
