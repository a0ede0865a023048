// The engine of one run, as its worker drives it.
#pragma once

#include <memory>
#include <string>

#include "server/engine_process.h"

namespace steward {

/// Start engine `engine` for run `number`, wait for its greeting and configure it; steward.workers shows it. Errors: engine_failed,
/// wrong_version, server_raised.
Result<std::unique_ptr<EngineProcess>> start_run_engine(const std::string& engine, uint64 number);

/// Wait for the engine's next message. Errors: the engine's; cancelled when the run was asked to stop; server_raised.
Result<Json> next_engine_message(EngineProcess& engine, uint64 number);

}  // namespace steward
