// Configuration and certificates on their way from one cluster's directory to another's.
#pragma once

#include "core/base/result.h"
#include "program/upgrade/upgrade_context.h"

namespace steward {

/// Step kConfigure of `hop`: carry over what is configured in the directory of the cluster before, comment out what the new major refuses (names and
/// values), make room for the slots and subscriptions that are carried over, and say each change, also in logs/configuration.txt. Configuration
/// elsewhere is not touched. Done again, it does the same. Errors: configuration
/// when the new server refuses something that is not in these files; by errno.
Result<void> carry_configuration(const UpgradeContext& context, const UpgradeFacts& facts, int hop);

}  // namespace steward
