// Reading what an upgrade must know of the old cluster and of the new major.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/upgrade/cluster_facts.h"
#include "program/upgrade/cluster_catalogs.h"
#include "program/upgrade/trial_cluster.h"

namespace steward {

/// Read a cluster. `database` is one that can be connected to. Reads directories and catalogs, and makes nameless files beside the data
/// directory to learn what the file system can do. Errors: as ClusterCatalogs::select; by errno; wrong_state without a template0.
Result<OldClusterFacts> read_old_cluster(const std::filesystem::path& data_directory, int major, bool running, ClusterCatalogs& catalogs,
                                         const std::string& database, const CancelToken& cancel);

/// Run the checks of core/upgrade/catalog_checks. Errors: as ClusterCatalogs::select.
Result<std::vector<UpgradeFinding>> run_catalog_checks(const OldClusterFacts& old, const UpgradeHop& hop, ClusterCatalogs& catalogs, const std::string& database,
                                                       const CancelToken& cancel);

/// Ask a trial cluster of the new major for what `old` uses. Errors: as SingleUserSession.
Result<NewMajorFacts> read_new_major(const OldClusterFacts& old, const TrialCluster& trial, RetryTimer& timer, const CancelToken& cancel);

}  // namespace steward
