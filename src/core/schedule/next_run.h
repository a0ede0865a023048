// When a schedule comes next, in real time.
#pragma once

#include <cstddef>
#include <optional>
#include <vector>

#include "core/base/clock.h"
#include "core/schedule/schedule.h"
#include "core/schedule/time_zone.h"

namespace steward {

/// Return the first run of `schedule`, read in local time of `zone`, strictly after `after`; nothing when the years 1 to 9999 have
/// none.
///
/// When the clocks change, a schedule whose hour field begins with "*" goes by real time: it runs in both of two repeated hours
/// and skips the hour that is left out. Any other runs once for local times that are repeated, at the first occurrence, and once for
/// all that are left out, at the first instant after the gap (docs/decisions/0005-daylight-saving.md).
///
/// Pure. Time is bounded: at most 41 years are searched, day by day, which is more than lies between two runs of any schedule.
std::optional<TimePoint> next_run(const Schedule& schedule, const TimeZone& zone, TimePoint after);

/// Return the first `n` runs strictly after `after`, in order; fewer when the years until 9999 have fewer. Pure.
std::vector<TimePoint> next_runs(const Schedule& schedule, const TimeZone& zone, TimePoint after, size_t n);

}  // namespace steward
