// Which cluster is at the data directory's path, and what becomes of the others. Each can be done again, whatever was done of it.
#pragma once

#include <optional>
#include <string_view>

#include "core/base/result.h"
#include "core/repository/succession.h"
#include "program/upgrade/upgrade_context.h"

namespace steward {

/// Of the copy of a tablespace's directory that preserves the old cluster. In the tablespace itself, and so on its file system:
/// "PG_15_202209061.pg_steward".
inline constexpr std::string_view kPreservedSuffix = ".pg_steward";

/// Step kClear: remove what an earlier attempt made, and where the old cluster was put out of use by it put its copy in its place. Errors:
/// wrong_state when neither is there; by errno.
Result<void> clear_earlier_attempt(const UpgradeContext& context);

/// Step kPreserve: copy the old cluster with its tablespaces, and compare. Errors: those of copy_tree and compare_trees.
Result<void> preserve_old_cluster(const UpgradeContext& context);

/// Step kExchange: the cluster of the last hop gets the data directory's path; the old one is kept. Errors: wrong_state when one is missing; by
/// errno.
Result<void> exchange_clusters(const UpgradeContext& context);

/// Before kBringBack: the mark by which the old cluster goes on in the repository for the new one, which may have its place there; nothing when the
/// new one is not in the data directory. Errors: wrong_state when the old cluster is nowhere; those of describe_succession.
Result<std::optional<Succession>> describe_way_back(const UpgradeContext& context);

/// Step kBringBack: the old cluster gets the data directory's path, from wherever it is. Errors: wrong_state when it is nowhere; by errno.
Result<void> bring_back_old_cluster(const UpgradeContext& context);

/// Step kRemoveMade: remove everything but the old cluster, the logs and the journal. Errors: wrong_state when the old cluster is not in the data
/// directory; by errno.
Result<void> remove_what_was_made(const UpgradeContext& context);

/// Step kRemoveOld: remove the old cluster, then the work directory, the journal last. Errors: wrong_state when the new cluster is not in the data
/// directory; by errno.
Result<void> remove_old_cluster(const UpgradeContext& context);

}  // namespace steward
