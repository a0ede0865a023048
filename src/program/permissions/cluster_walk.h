// The walk over all files of a cluster: the data directory, and where pg_wal and the tablespaces' links lead.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/permissions/cluster_files.h"
#include "core/permissions/finding.h"

namespace steward {

/// Takes findings one by one: a cluster can have a million of them.
using FindingSink = std::function<Result<void>(Finding)>;

struct WalkedCluster {
    std::filesystem::path data_directory;  ///< absolute, symbolic links resolved
    std::optional<int> major;              ///< nothing when PG_VERSION cannot be read: then no tablespace is looked at
    ClusterRules rules;
    std::set<std::string> named;           ///< at the top of the data directory: the cluster's because a setting names it
    std::set<std::string> judged_apart;    ///< the same, but judged by what the setting is for
};

/// Judge every file. Follows no symbolic link but pg_wal and those in pg_tblspc, and enters no other file system but theirs. A directory comes
/// after what is in it, and the data directory last: its owner tells whose all is, so that what was interrupted can be done again. What
/// vanishes meanwhile is passed over. Errors: cancelled; by errno; those of `sink`.
Result<void> walk_cluster(const WalkedCluster& cluster, const FindingSink& sink, const CancelToken& cancel);

}  // namespace steward
