// The verbs below `upgrade` that run one.
#pragma once

#include "program/commands.h"

namespace steward {

/// Add `run`, `status`, `rollback` and `commit` to `upgrade`.
void add_upgrade_run_commands(CLI::App& upgrade, ChosenCommand& chosen);

}  // namespace steward
