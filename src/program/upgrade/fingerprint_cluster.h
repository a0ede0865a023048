// Taking fingerprints.
#pragma once

#include <string>
#include <vector>

#include "core/upgrade/fingerprint.h"
#include "program/upgrade/cluster_catalogs.h"
#include "program/upgrade/upgrade_context.h"

namespace steward {

/// Read what a cluster holds, every row of every table counted. `databases` are those to look into. Errors: as ClusterCatalogs::select.
Result<Fingerprint> take_fingerprint(ClusterCatalogs& catalogs, const std::vector<std::string>& databases, const CancelToken& cancel);

/// Step kFingerprint: write down what the old cluster holds, and what later steps need to know of it. Recovers it if its server crashed. Errors:
/// as SingleUserSession; by errno.
Result<void> write_down_old_cluster(const UpgradeContext& context);

/// Step kCompare: compare the cluster that the last hop made, whose `server` runs, with what was written down. Errors: wrong_state with the
/// differences; as ClusterCatalogs::select; by errno.
Result<void> compare_new_cluster(const UpgradeContext& context, const UpgradeFacts& facts, PrivateServer& server);

}  // namespace steward
