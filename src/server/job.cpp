#include "server/job.h"

#include "core/base/format.h"
#include "server/worker_entry.h"

namespace steward {

namespace {

SharedJob& slot_of(JobKind kind) { return shared_state()->jobs[static_cast<size_t>(kind)]; }

}  // namespace

Result<uint64> reserve_job(const JobRequest& request) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedJob& job = slot_of(request.kind);
    const std::string_view name = name_of(request.kind);
    if (job.run.is_active())
        return Error(ErrorCode::busy, formatted("job \"{}\" is already running", name))
            .detail(job.run.worker.pid != 0 ? formatted("Run {} is in the worker with PID {}.", job.run.number, job.run.worker.pid)
                                            : formatted("Run {} is starting.", job.run.number))
            .hint("Wait for it (steward.jobs shows how far it is), or cancel it with pg_cancel_backend on that PID.");
    job.options.assign(request.options);
    job.done = job.total = 0;
    return reserve_run(job.run, name, request.trigger);
}

Result<StartedJob> start_job(const JobRequest& request) {
    TRY_ASSIGN(const uint64 number, reserve_job(request));
    const Result<BackgroundWorkerHandle*> worker = start_upkeep_worker(request.kind, number);
    if (worker.ok()) return StartedJob{number, *worker};
    TRY(fail_run(number, worker.error()));
    return worker.error();
}

void note_job_progress(JobKind kind, const UpkeepProgressMessage& progress) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedJob& job = slot_of(kind);
    job.run.phase.assign(progress.phase);
    job.done = progress.done;
    job.total = progress.total;
}

}  // namespace steward
