#include "server/worker_entry.h"

#include <cstdio>
#include <cstring>

#include "server/boundary.h"

namespace steward {

namespace {

BackgroundWorker describe(const char* name, const char* function) {
    BackgroundWorker worker = {};
    std::snprintf(worker.bgw_name, sizeof worker.bgw_name, "%s", name);
    std::snprintf(worker.bgw_type, sizeof worker.bgw_type, "%s", name);
    std::snprintf(worker.bgw_library_name, sizeof worker.bgw_library_name, "pg_steward");
    std::snprintf(worker.bgw_function_name, sizeof worker.bgw_function_name, "%s", function);
    return worker;
}

/// From the postmaster's start to its end, also in recovery.
void register_static(const char* name, const char* function) {
    BackgroundWorker worker = describe(name, function);
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS;
    worker.bgw_start_time = BgWorkerStart_PostmasterStart;
    worker.bgw_restart_time = 5;
    RegisterBackgroundWorker(&worker);
}

/// Start a worker that runs once, with what a backend has.
Result<BackgroundWorkerHandle*> start_dynamic(BackgroundWorker& worker) {
    worker.bgw_flags = BGWORKER_SHMEM_ACCESS | BGWORKER_BACKEND_DATABASE_CONNECTION;
    worker.bgw_start_time = BgWorkerStart_ConsistentState;
    worker.bgw_restart_time = BGW_NEVER_RESTART;
    worker.bgw_notify_pid = MyProcPid;
    BackgroundWorkerHandle* handle = nullptr;
    TRY_ASSIGN(const bool registered, call_server([&] { return RegisterDynamicBackgroundWorker(&worker, &handle); }));
    if (!registered)
        return Error(ErrorCode::wrong_state, "could not start a background worker")
            .detail("All background worker slots are in use.")
            .hint("Raise \"max_worker_processes\" and restart the server, or try again when other workers have ended.");
    return handle;
}

}  // namespace

void register_static_workers() {
    register_static("steward wal", "pg_steward_wal_main");
    register_static("steward scheduler", "pg_steward_scheduler_main");
}

Result<BackgroundWorkerHandle*> start_backup_worker() {
    BackgroundWorker worker = describe("steward backup", "pg_steward_backup_main");
    return start_dynamic(worker);
}

Result<BackgroundWorkerHandle*> start_upkeep_worker(JobKind kind, uint64 number) {
    BackgroundWorker worker = describe("steward upkeep", "pg_steward_upkeep_main");
    worker.bgw_main_arg = Int32GetDatum(static_cast<int32>(kind));
    static_assert(sizeof number <= BGW_EXTRALEN);
    std::memcpy(worker.bgw_extra, &number, sizeof number);
    return start_dynamic(worker);
}

}  // namespace steward
