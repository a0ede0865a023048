#include "server/run.h"

#include <utility>

#include "core/base/format.h"
#include "server/boundary.h"
#include "server/history.h"
#include "server/report.h"

namespace steward {

namespace {

constexpr long kPollMs = 1000;

TimePoint time_point(TimestampTz timestamp) { return TimePoint(std::chrono::microseconds(unix_us_of_timestamp(timestamp))); }

/// Under the lock.
SharedRun* find_run(uint64 number) {
    if (backup_run().number == number) return &backup_run();
    for (SharedJob& job : shared_state()->jobs)
        if (job.run.number == number) return &job.run;
    return nullptr;
}

JobRecord record_of(const SharedRun& run) {
    JobRecord record;
    record.number = run.number;
    record.job = run.job.view();
    record.trigger = run.trigger;
    record.started = time_point(run.started);
    return record;
}

/// pg_cancel_backend on the worker makes the server raise query_canceled there.
bool is_cancel(const Error& error) {
    return error.code() == ErrorCode::cancelled || (error.code() == ErrorCode::server_raised && error.sqlstate() == "57014");
}

/// How a run ends.
struct RunEnd {
    JobResult result;
    std::string_view summary;
    uint64 bytes = 0;
    const Error* error = nullptr;
};

/// Claim the right to end the run: the first who comes ends it.
std::optional<JobRecord> claim_end(uint64 number, const RunEnd& end) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedRun* run = find_run(number);
    if (run == nullptr || !run->is_active() || run->ending) return std::nullopt;
    run->ending = true;
    run->summary.assign(end.summary);
    run->bytes = end.bytes;
    if (end.error != nullptr) run->error.assign(*end.error);
    JobRecord record = record_of(*run);
    record.finished = time_point(GetCurrentTimestamp());
    record.result = end.result;
    record.bytes = end.bytes;
    record.summary = run->summary.view();
    if (end.error != nullptr) record.error = run->error.message.view();
    return record;
}

void publish_end(const JobRecord& record) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedRun* run = find_run(record.number);
    run->ending = false;
    run->state = record.result == JobResult::kSucceeded ? JobState::kSucceeded : JobState::kFailed;
    run->finished = timestamp_of_unix_us(record.finished->time_since_epoch().count());
    run->phase.assign("");
    show_in_history(record);
    if (Latch* scheduler = shared_state()->schedule.worker.latch) SetLatch(scheduler);
    ConditionVariableBroadcast(&run->changed);
}

/// The file comes first: whoever sees that the run has ended may rely on its record.
Result<void> end_run(uint64 number, const RunEnd& end) {
    const std::optional<JobRecord> record = claim_end(number, end);
    if (!record) return {};
    Result<void> written = write_to_history(*record);
    publish_end(*record);
    if (written.ok()) return {};
    return report_warning(std::move(written).error().context("while recording the end of a job"));
}

/// The process ends without having said how: by FATAL, or by an error that its code did not see.
void fail_unfinished(int, Datum number) {
    enter([number] {
        return fail_run(DatumGetUInt64(number), Error(ErrorCode::engine_failed, "worker ended unexpectedly").hint("The server's log says why."));
    });
}

/// A worker that could not be forked, or ended before it was one of ours.
Error no_worker() { return Error(ErrorCode::engine_failed, "worker could not start").hint("The server's log says why."); }

/// Called when the process ends while it waits: it was terminated, and destructors do not run.
void cancel_at_exit(int, Datum number) { cancel_run(DatumGetUInt64(number)); }

/// Cancels the run unless dismissed.
class CancelWithCaller {
public:
    static Result<CancelWithCaller> begin(uint64 number) {
        TRY(call_server([=] { before_shmem_exit(cancel_at_exit, UInt64GetDatum(number)); }));
        return CancelWithCaller(number);
    }
    CancelWithCaller(CancelWithCaller&& other) noexcept : number_(std::exchange(other.number_, 0)), done_(other.done_) {}
    CancelWithCaller& operator=(CancelWithCaller&&) = delete;
    ~CancelWithCaller() {
        if (number_ == 0) return;
        // Raises only for callbacks that are not nested, which these are.
        static_cast<void>(call_server([number = number_] { cancel_before_shmem_exit(cancel_at_exit, UInt64GetDatum(number)); }));
        if (!done_) cancel_run(number_);
    }
    void dismiss() { done_ = true; }

private:
    explicit CancelWithCaller(uint64 number) : number_(number) {}

    uint64 number_;  ///< 0 when moved from
    bool done_ = false;
};

}  // namespace

SharedRun& backup_run() { return shared_state()->backup.run; }
SharedRun& job_run(JobKind kind) { return shared_state()->jobs[static_cast<size_t>(kind)].run; }

uint64 reserve_run(SharedRun& run, std::string_view job, JobTrigger trigger) {
    run.state = JobState::kStarting;
    run.number = ++shared_state()->history.last_number;
    run.job.assign(job);
    run.trigger = trigger;
    run.cancel_requested = false;
    // The role that asked, also when a function of the extension asks in its owner's name.
    run.requested_by = trigger == JobTrigger::kManual ? GetOuterUserId() : InvalidOid;
    run.started = GetCurrentTimestamp();
    run.finished = 0;
    run.phase.assign("starting");
    run.summary.assign("");
    run.bytes = 0;
    show_in_history(record_of(run));
    return run.number;
}

Result<void> begin_work(uint64 number) {
    JobRecord record;
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        SharedRun* run = find_run(number);
        if (run == nullptr || run->state != JobState::kStarting) return Error(ErrorCode::cancelled, "the run has ended before its worker came up");
        run->state = JobState::kRunning;
        ConditionVariableBroadcast(&run->changed);
        record = record_of(*run);
    }
    Result<void> written = write_to_history(record);
    if (written.ok()) return {};
    return report_warning(std::move(written).error().context("while recording the start of a job"));
}

void note_engine(uint64 number, pid_t engine) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedRun* run = find_run(number);
    if (run == nullptr) return;
    run->worker.engine_pid = engine;
    run->worker.engine_state = EngineState::kRunning;
    run->worker.engine_starts++;
    run->worker.engine_started = GetCurrentTimestamp();
}

void note_phase(uint64 number, std::string_view phase) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    if (SharedRun* run = find_run(number)) run->phase.assign(phase);
}

void cancel_run(uint64 number) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedRun* run = find_run(number);
    if (run == nullptr || !run->is_active()) return;
    run->cancel_requested = true;
    if (run->worker.latch != nullptr) SetLatch(run->worker.latch);
}

Result<void> check_cancel_request(uint64 number) {
    TRY(check_for_interrupts());
    const SharedLock lock(shared_state(), LW_SHARED);
    const SharedRun* run = find_run(number);
    if (run == nullptr || !run->cancel_requested) return {};
    return Error(ErrorCode::cancelled, formatted("{} was canceled on request", run->job.view()));
}

Result<void> succeed_run(uint64 number, std::string_view summary, uint64 bytes) {
    return end_run(number, {.result = JobResult::kSucceeded, .summary = summary, .bytes = bytes});
}

Result<void> fail_run(uint64 number, const Error& error) {
    return end_run(number, {.result = is_cancel(error) ? JobResult::kCancelled : JobResult::kFailed, .summary = {}, .error = &error});
}

JobState run_state(uint64 number) {
    const SharedLock lock(shared_state(), LW_SHARED);
    const SharedRun* run = find_run(number);
    return run != nullptr ? run->state : JobState::kIdle;
}

void fail_run_at_exit(uint64 number) { before_shmem_exit(fail_unfinished, UInt64GetDatum(number)); }

namespace {

/// Wait while `goes_on` says so of the run's state. Returns whether the worker came up.
template <typename GoesOn>
Result<bool> wait_while(uint64 number, BackgroundWorkerHandle* handle, GoesOn goes_on) {
    TRY_ASSIGN(CancelWithCaller cancel, CancelWithCaller::begin(number));
    bool came_up = true;
    ConditionVariable* changed = nullptr;
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        if (SharedRun* run = find_run(number)) changed = &run->changed;
    }
    while (changed != nullptr) {
        const JobState state = run_state(number);
        if (!goes_on(state)) break;
        pid_t pid = 0;
        TRY_ASSIGN(const BgwHandleStatus worker, call_server([&] { return GetBackgroundWorkerPid(handle, &pid); }));
        if (worker == BGWH_STOPPED && run_state(number) == state) {
            TRY(fail_run(number, no_worker()));
            came_up = false;
        }
        TRY(call_server([=] { ConditionVariableTimedSleep(changed, kPollMs, compat::wait_event()); }));
    }
    TRY(call_server([] { ConditionVariableCancelSleep(); }));
    cancel.dismiss();
    return came_up;
}

}  // namespace

Result<void> wait_for_run(uint64 number, BackgroundWorkerHandle* worker) {
    TRY(wait_while(number, worker, [](JobState state) { return state == JobState::kStarting || state == JobState::kRunning; }));
    return {};
}

Result<void> wait_for_start(uint64 number, BackgroundWorkerHandle* worker) {
    TRY_ASSIGN(const bool came_up, wait_while(number, worker, [](JobState state) { return state == JobState::kStarting; }));
    if (came_up) return {};
    return no_worker();
}

std::optional<Error> failure_of(const SharedRun& run, uint64 number) {
    if (run.number == number && run.state == JobState::kFailed) return run.error.to_error();
    if (run.number != number || run.state != JobState::kSucceeded)
        return Error(ErrorCode::wrong_state, "the outcome of the run is not known any more").hint("See steward.jobs.");
    return std::nullopt;
}

}  // namespace steward
