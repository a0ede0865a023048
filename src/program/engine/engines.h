// The engines: what `pg_steward engine JOB` runs, as a child of a background worker.
#pragma once

#include "program/engine/engine_link.h"

namespace steward {

/// Socket that the server hands to an engine.
inline constexpr int kEngineSocket = 3;

/// Push WAL and report the repositories' state until the worker is gone.
Result<void> run_wal_engine(EngineLink& link);

/// Copy one base backup.
Result<void> run_backup_engine(EngineLink& link);

/// Run one job on the repositories (program/upkeep.h).
Result<void> run_upkeep_engine(EngineLink& link);

/// Run the engine called `job` on descriptor kEngineSocket. Returns the exit status. Errors go to the worker.
int run_engine(const std::string& job);

}  // namespace steward
