// The verb below `upgrade` that tries one out.
#pragma once

#include "program/commands.h"

namespace steward {

/// Add `rehearse` to `upgrade`.
void add_upgrade_rehearse_command(CLI::App& upgrade, ChosenCommand& chosen);

}  // namespace steward
