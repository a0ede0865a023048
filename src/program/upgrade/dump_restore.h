// Method dump: everything is read out of one cluster and written into the other.
#pragma once

#include "core/base/result.h"
#include "program/upgrade/upgrade_context.h"

namespace steward {

/// Dump roles, tablespaces and every database of the cluster before `hop` with the new major's programs, and restore them into the cluster of
/// `hop`. Dumps are below the work directory, one database at a time. Errors: server_raised with the end of what was said; cancelled; by errno.
Result<void> dump_and_restore(const UpgradeContext& context, const UpgradeFacts& facts, int hop);

}  // namespace steward
