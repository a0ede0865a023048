// Cluster directories and what belongs to them elsewhere: looked at, removed, changing places. The servers are down.
#pragma once

#include <filesystem>
#include <set>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/upgrade/plan_upgrade.h"

namespace steward {

/// Look at what is at `directory`. No cluster there is no error. Errors: those of read_pg_version and read_control_file; by errno.
Result<SeenCluster> see_cluster(const std::filesystem::path& directory);

/// Where the tablespaces of a cluster are, as the links in its pg_tblspc say; empty without one.
std::set<std::filesystem::path> tablespace_locations(const std::filesystem::path& cluster);

/// "PG_15_202209061": the directories that a major's clusters have in a tablespace, in `location`.
std::vector<std::filesystem::path> version_directories(const std::filesystem::path& location, int major);

/// Remove a tree; nothing there is fine. Links are not followed. Errors: by errno.
Result<void> remove_tree(const std::filesystem::path& path);

/// Remove a cluster, and its WAL where that is elsewhere. Errors: by errno.
Result<void> remove_cluster(const std::filesystem::path& cluster);

/// Rename, and make it durable. Both are on one file system. Errors: by errno.
Result<void> rename_durably(const std::filesystem::path& from, const std::filesystem::path& to);

/// Let two directories change places, durably. Returns false where the file system cannot do that at once, and nothing was done. Errors: by
/// errno.
Result<bool> exchange_directories(const std::filesystem::path& one, const std::filesystem::path& other);

using DirectoryExchange = Result<bool> (*)(const std::filesystem::path&, const std::filesystem::path&);

/// Give `made` the name `directory`, and what has it the name `aside`, durably: at once where `exchange` can, else by two renames, between which
/// nothing has the name. Interrupted there, the same call finishes it. Interrupted behind an exchange, what was `directory` is `made`. Errors:
/// those of exchange and rename_durably.
Result<void> take_place(const std::filesystem::path& made, const std::filesystem::path& directory, const std::filesystem::path& aside,
                        DirectoryExchange exchange = exchange_directories);

}  // namespace steward
