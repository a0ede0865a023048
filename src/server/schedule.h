// The schedule as this server has it: what is set, in which time zone, and what the scheduler plans.
#pragma once

#include <string>

#include "core/jobs/scheduled_job.h"
#include "core/schedule/time_zone.h"
#include "server/job.h"

namespace steward {

/// The zone in which schedules are read: `name`, or when that is empty the setting, or when that is empty too the server's
/// log_timezone. Errors: as find_time_zone.
Result<TimeZone> schedule_time_zone(const std::string& name = {});

/// The run of `job` that is active or was the last. Under the block's lock or from one's own process.
SharedRun& scheduled_run(ScheduledJob job);

/// One row of steward.schedule, as the scheduler planned it.
struct PlannedJob {
    std::string expression;  ///< empty: not scheduled
    std::string timezone;
    TimestampTz next_run = 0;  ///< 0: none
    std::string reason;
};

/// Show a plan in steward.schedule. Scheduler only.
void publish_plan(ScheduledJob job, const PlannedJob& plan);

}  // namespace steward
