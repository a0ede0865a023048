// The jobs of the upkeep engine: their slots in shared memory, one for each kind.
#pragma once

#include <string>
#include <string_view>

#include "core/jobs/job_kind.h"
#include "server/run.h"

namespace steward {

/// Longest options of a job, in bytes of JSON.
inline constexpr size_t kMostJobOptions = sizeof(SharedJob::options.text) - 1;

struct JobRequest {
    JobKind kind;
    std::string options = "{}";  ///< JSON text: one object of at most kMostJobOptions bytes
    JobTrigger trigger = JobTrigger::kManual;
};

/// Take the slot of a kind for a new run. Returns the run's number. Errors: busy, naming who runs one.
Result<uint64> reserve_job(const JobRequest& request);

/// Reserve a run and start its worker. Returns the number and the worker. Errors: busy; wrong_state when no worker slot is free;
/// server_raised.
struct StartedJob {
    uint64 number;
    BackgroundWorkerHandle* worker;
};
Result<StartedJob> start_job(const JobRequest& request);

/// Set what steward.jobs shows of the run that is active. Worker only.
void note_job_progress(JobKind kind, const UpkeepProgressMessage& progress);

}  // namespace steward
