// The upkeep worker: runs one job through the upkeep engine and records how it went.
//
// It is connected to no database, but as a backend is: so that it can be seen in pg_stat_activity and cancelled by its PID.

#include <cstring>
#include <memory>
#include <string>

#include "core/base/format.h"
#include "core/jobs/job_report.h"
#include "server/boundary.h"
#include "server/history.h"
#include "server/job.h"
#include "server/report.h"
#include "server/run_engine.h"
#include "server/worker.h"
#include "server/worker_entry.h"

namespace steward {

namespace {

/// Follow the engine to its result.
Result<UpkeepDoneMessage> follow_engine(EngineProcess& engine, JobKind kind, uint64 number) {
    for (;;) {
        TRY_ASSIGN(const Json json, next_engine_message(engine, number));
        if (message_type(json) == UpkeepDoneMessage::kType) return read_message<UpkeepDoneMessage>(json);
        if (message_type(json) != UpkeepProgressMessage::kType) continue;
        TRY_ASSIGN(const UpkeepProgressMessage progress, read_message<UpkeepProgressMessage>(json));
        note_job_progress(kind, progress);
    }
}

Result<UpkeepDoneMessage> run_job(JobKind kind, uint64 number) {
    UpkeepStartMessage start;
    start.job = name_of(kind);
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        start.options = shared_state()->jobs[static_cast<size_t>(kind)].options.view();
    }
    TRY_ASSIGN(const std::unique_ptr<EngineProcess> engine, start_run_engine("upkeep", number));
    TRY(engine->send(start));
    TRY_ASSIGN(UpkeepDoneMessage done, follow_engine(*engine, kind, number));
    TRY(store_job_report(steward_directory(), name_of(kind), number, done.report));
    return done;
}

Result<void> report_completion(JobKind kind, uint64 number, const UpkeepDoneMessage& done) {
    return report({LogLevel::kLog, "job_complete", formatted("job \"{}\" is complete: {}", name_of(kind), done.summary),
                   {{"run", std::to_string(number)}, {"bytes", std::to_string(done.bytes)}}, {}, {}, {}});
}

/// The worker's whole work. Errors: server_raised; all others are recorded and logged here.
Result<void> work(JobKind kind, uint64 number) {
    const std::string activity = formatted("steward upkeep: {}", name_of(kind));
    const char* text = activity.c_str();
    TRY(call_server([text] {
        BackgroundWorkerInitializeConnection(nullptr, nullptr, 0);
        pgstat_report_activity(STATE_RUNNING, text);
    }));
    TRY(begin_work(number));
    const Result<UpkeepDoneMessage> done = run_job(kind, number);
    if (done.ok()) {
        TRY(succeed_run(number, done->summary, done->bytes));
        return report_completion(kind, number, *done);
    }
    TRY(fail_run(number, done.error()));
    if (done.error().code() == ErrorCode::server_raised) return done.error();
    return report_warning(Error(done.error()).context(formatted("while running job \"{}\"", name_of(kind))));
}

}  // namespace

}  // namespace steward

extern "C" void pg_steward_upkeep_main(Datum argument) {
    using namespace steward;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    const auto kind = static_cast<JobKind>(DatumGetInt32(argument));
    uint64 number = 0;
    std::memcpy(&number, MyBgworkerEntry->bgw_extra, sizeof number);
    fail_run_at_exit(number);
    occupy_slot(&job_run(kind).worker);
    enter([=] { return work(kind, number); });
    proc_exit(0);
}
