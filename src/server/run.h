// One run of a backup or a job, from the request to the result: what they have in common.
//
//   reserve (requester) -> begin_work (worker) -> note_phase ... -> succeed_run or fail_run (worker; requester when no worker came up)
//
// A run is known by its number, which no other run in this data directory has.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "server/shared_state.h"

namespace steward {

/// The slot of the newest run of backups, or of a kind of job.
SharedRun& backup_run();
SharedRun& job_run(JobKind kind);

/// Take a slot whose run is not active for a new run of `job`; show it in steward.jobs. Under the block's lock. Returns the number.
uint64 reserve_run(SharedRun& run, std::string_view job, JobTrigger trigger);

/// Record on disk that the run has begun. Worker only. Errors: server_raised when an interrupt was served.
Result<void> begin_work(uint64 number);

/// Show the run's engine in steward.workers. Worker only.
void note_engine(uint64 number, pid_t engine);

/// Say what the run does now. Worker only.
void note_phase(uint64 number, std::string_view phase);

/// Ask the run to stop, if it is still active.
void cancel_run(uint64 number);

/// The error `cancelled` when someone asked the run to stop. Serves interrupts.
Result<void> check_cancel_request(uint64 number);

/// End the run, if it is still active; on return the end is on disk, or the log says why not. `summary` is one clause, `bytes` what
/// the run read, wrote or removed. Errors: server_raised when an interrupt was served.
Result<void> succeed_run(uint64 number, std::string_view summary, uint64 bytes);
Result<void> fail_run(uint64 number, const Error& error);

/// Where the run stands; kIdle when another has taken its slot since.
JobState run_state(uint64 number);

/// Fail the run when this process ends before the run has.
void fail_run_at_exit(uint64 number);

/// Wait until the run has ended. The run is the caller's: it is cancelled when the wait is left by an error or by the session's
/// end, above all by pg_cancel_backend and pg_terminate_backend. `worker` is its worker. Errors: server_raised.
Result<void> wait_for_run(uint64 number, BackgroundWorkerHandle* worker);

/// Wait until the run's worker is at work, for a caller who does not wait for the run's end; left early, the run is cancelled as above.
/// Errors: engine_failed, which is recorded as the run's end, when its worker does not come up; server_raised.
Result<void> wait_for_start(uint64 number, BackgroundWorkerHandle* worker);

/// The error of a run that has failed, or why its outcome cannot be told; nothing when it has succeeded. Under the block's lock.
std::optional<Error> failure_of(const SharedRun& run, uint64 number);

}  // namespace steward
