// Whether a job that has a schedule is to run now.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "core/base/clock.h"
#include "core/schedule/schedule.h"
#include "core/schedule/time_zone.h"

namespace steward {

using Duration = TimePoint::duration;

/// How much later than its schedule a cluster runs its jobs, so that clusters with the same schedule do not all begin at once: whole
/// seconds from 0 to `limit`, spread evenly over clusters and always the same for one `system_identifier`. `limit` must not be
/// negative. Pure.
Duration jitter_of(uint64_t system_identifier, Duration limit);

/// All that is known of one job.
struct JobFacts {
    Schedule schedule;
    TimeZone zone;
    Duration jitter{};                    ///< of jitter_of(): every run is due this much after its time in the schedule
    TimePoint enabled_since;              ///< when this schedule was first seen: no run of before is caught up
    std::optional<TimePoint> last_run{};  ///< start of the run in progress, else of the one recorded last among those that count
    std::optional<TimePoint> last_end{};  ///< end of the last run, also of one that does not count
    bool running = false;
    bool in_recovery = false;
    TimePoint now;
};

enum class RunDecision { kWait, kRunNow };

struct RunPlan {
    RunDecision decision;
    std::optional<TimePoint> at;  ///< kWait: when the next run is due, nothing for never; kRunNow: since when this one is due
    std::string reason;           ///< for people: a clause without a full stop
    unsigned missed;              ///< due runs since the last one that did not happen and will not, at most kMostMissed
};

/// Where counting missed runs ends.
inline constexpr unsigned kMostMissed = 1000;

/// A last run that lies this far in the future tells that the clock was wrong then, not that it is to be waited for.
inline constexpr std::chrono::hours kLargestSetback{24};

/// Decide what to do about a job. Plan again when `at` comes and when a fact changes: a run ends, settings are read again, the server is
/// promoted. Pure.
///
/// - However many runs were missed, there is one to catch up: a run counts for all that were due when it started.
/// - A run that becomes due while another is in progress is skipped, and so it is after a failure: what does not count is tried again
///   with the next due run, not at once.
/// - In recovery nothing runs. After promotion the facts decide as on any other server.
/// - While the clock is behind the last run (it was set back), what the last run counted for does not run again. A clock that is
///   behind by more than kLargestSetback is believed: one run starts now, and its record is the new beginning.
RunPlan plan_run(const JobFacts& facts);

}  // namespace steward
