// What a cluster consists of, and which owner and mode its files must have. Pure.
#pragma once

#include <optional>
#include <string_view>

#include "core/permissions/finding.h"

namespace steward {

/// Where in a cluster a file stands.
enum class ClusterPlace {
    kDataDirectory,    ///< the directory itself
    kLinkedDirectory,  ///< where pg_wal or a link in pg_tblspc points to
    kInside,           ///< below one of these
};

/// What holds for a whole cluster.
struct ClusterRules {
    FileUser owner;
    uid_t found_owner = 0;     ///< of the data directory as it is
    bool group_access = false; ///< the group may read: modes 0750 and 0640 instead of 0700 and 0600
};

/// Whether the cluster lets its group read (initdb -g). The server derives that from the data directory's mode
/// (SetDataDirectoryCreatePerm in src/common/file_perm.c), which says nothing any more when it is one that the server refuses: then
/// `version_file`, the mode of PG_VERSION as initdb made it, tells.
bool decide_group_access(mode_t data_directory, mode_t version_file);

/// Find what is wrong with a file of the cluster.
///
/// The data directory must belong to the user the server runs as and be closed to others and to writing by the group, or the server does
/// not start (checkDataDir in src/backend/utils/init/miscinit.c). Of all else the server demands nothing but that it can be used;
/// what is stricter than initdb made it and can be used is right. Outside the data directory, only what belongs to the owner, to root or to
/// whom the data directory belongs is changed: a link says nothing about whose files it points to.
/// @param outside  the file stands in a directory that a link led to
std::optional<Finding> judge_cluster_file(const FileFact& file, ClusterPlace place, bool outside, const ClusterRules& rules);

/// Whether a name at the top of a data directory is one that PostgreSQL 13 to 19 or pg_steward gives.
bool is_cluster_name(std::string_view name);

/// Whether a name in a tablespace's directory is that of `major`'s part: "PG_15_202209061".
bool is_tablespace_name(std::string_view name, int major);

/// Say that a file is not the cluster's, and is left alone. When `owner` cannot read it that is a warning: copying the directory fails on it.
Finding foreign_file(const FileFact& file, const FileUser& owner);

/// Say that a file inside was not looked at, and why. `why` is a full sentence.
Finding not_searched(const FileFact& file, std::string why);

}  // namespace steward
