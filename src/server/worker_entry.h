// Entry points that the postmaster looks up by name, and the registration of the workers behind them.
#pragma once

#include "core/base/result.h"
#include "core/jobs/job_kind.h"
#include "server/compat.h"

extern "C" {
PGDLLEXPORT void pg_steward_wal_main(Datum argument);
PGDLLEXPORT void pg_steward_scheduler_main(Datum argument);
PGDLLEXPORT void pg_steward_backup_main(Datum argument);
PGDLLEXPORT void pg_steward_upkeep_main(Datum argument);
}

namespace steward {

/// Register the workers that run as long as the server. From _PG_init while preloading.
void register_static_workers();

/// Start the worker of one backup; the job is in shared memory already. Errors: wrong_state when no worker slot is free.
Result<BackgroundWorkerHandle*> start_backup_worker();

/// Start the worker of run `number` of a job; its request is in shared memory already. Errors: wrong_state when no worker slot is
/// free.
Result<BackgroundWorkerHandle*> start_upkeep_worker(JobKind kind, uint64 number);

}  // namespace steward
