// Whether a user gets at a file outside the data directory, and whether others get at it who must not. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/permissions/finding.h"

namespace steward {

inline constexpr unsigned kRead = 4, kWrite = 2, kSearch = 1;

/// Whether the permission bits let `who` do all of `wanted` (kRead | ...). Access lists and security modules are not known here.
bool may_access(const FileUser& who, const FileFact& file, unsigned wanted);

/// A file and how one gets there.
struct PathFacts {
    std::string path;                    ///< as it was named, absolute
    std::vector<FileFact> directories;   ///< from "/" down to the one that holds the file, as far as they could be looked at
    FileFact file;                       ///< with links resolved; type kMissing when it could not be looked at
    int problem = 0;                     ///< errno of that, else 0
};

/// What the server, or pg_steward, must be able to do with something that a setting names.
enum class AccessRule {
    kReadable,           ///< a file that the server reads: configuration, certificates
    kReadableDirectory,  ///< a directory of such files
    kPrivateKey,         ///< a key: as check_ssl_key_file_permissions of src/backend/libpq/be-secure-common.c judges it
    kSecret,             ///< a file of a secret that only the owner may read, as libpq judges a password file
    kWritableDirectory,  ///< a directory in which the server makes files
    kSocketDirectory,    ///< the same, where others come in too
    kRepository,         ///< a directory that only the owner may look into
};

/// One thing to be judged.
struct AccessCase {
    AccessRule rule = AccessRule::kReadable;
    std::string setting = {};     ///< that names it, for the message
    bool may_be_missing = false;
    bool inside = false;          ///< in the data directory, so that it is the cluster's and may be given to its owner
    Severity severity = Severity::kError;  ///< when the owner cannot use it
    PathFacts path = {};
};

/// Find the first directory on the way to a path that `who` cannot search.
std::optional<Finding> judge_way(const PathFacts& path, const FileUser& who, std::string_view what);

/// Find what is wrong with it: nothing, or one finding. Outside the data directory only the mode of what belongs to `owner` is ever
/// changed: a setting says nothing about whose file it names.
std::optional<Finding> judge_access(const AccessCase& access, const FileUser& owner);

}  // namespace steward
