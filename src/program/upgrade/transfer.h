// Making the new cluster, and carrying the data over into it.
#pragma once

#include "core/base/result.h"
#include "program/upgrade/upgrade_context.h"

namespace steward {

/// Step kInitialize of `hop`: make an empty cluster like the one before; what an earlier attempt made goes. Errors: server_raised with what initdb
/// says; by errno.
Result<void> initialize_cluster(const UpgradeContext& context, const UpgradeFacts& facts, int hop);

/// Where the WAL of a cluster of `major` goes when that of the old cluster is elsewhere: beside it. Empty when it is in `data_directory`.
std::filesystem::path wal_directory(const std::filesystem::path& data_directory, int major);

/// Step kTransfer of `hop`: carry the data over by pg_upgrade, or by dump and restore. Nothing of it can be gone on with: after an error the hops
/// begin anew. Errors: server_raised with the end of what was said; cancelled; by errno.
Result<void> transfer_cluster(const UpgradeContext& context, const UpgradeFacts& facts, int hop);

/// Bring the logs that pg_upgrade wrote into the new cluster of `hop` to the others. Errors: by errno.
Result<void> keep_pg_upgrade_logs(const UpgradeContext& context, int hop);

}  // namespace steward
