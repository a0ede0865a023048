// From what the operator asks to what an upgrade does.
#pragma once

#include "core/base/result.h"
#include "program/upgrade/upgrade_check.h"
#include "program/upgrade/upgrade_run.h"

namespace steward {

/// Look at the cluster, and refuse what could not be upgraded or not be taken back. Prints what the check finds. Changes nothing. Errors: usage;
/// wrong_state with what is in the way; no_space; busy; those of check_upgrade.
Result<UpgradeRequest> plan_request(const UpgradeRunInputs& inputs, const UpgradePlaces& places, const UpgradeSurroundings& surroundings);

/// Check that `inputs` names majors that rise from `from`, and that the programs of each are there. Runs "postgres --version". Errors: usage; those of
/// find_new_bindir.
Result<void> check_majors(const UpgradeRunInputs& inputs, const std::filesystem::path& old_bindir, int from);

/// Check that `inputs` asks for nothing else than the upgrade under way does. Pure. Errors: usage.
Result<void> check_same_request(const UpgradeRunInputs& inputs, const UpgradeRequest& request);

/// Look for what is in the way of one hop, and say all that was found. Errors: wrong_state when there is an obstacle; those of check_upgrade.
Result<UpgradeCheckReport> require_upgradable(const UpgradeCheckInputs& inputs, const UpgradeSurroundings& surroundings);

}  // namespace steward
