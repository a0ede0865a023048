// Giving up root for the user who owns a cluster.
#pragma once

#include <sys/types.h>

#include <string>

#include "core/base/result.h"
#include "core/restore/target_directory.h"

namespace steward {

/// The user's name, or the number where there is none.
std::string name_of_user(uid_t user);

/// As root, become this user for good, in all of the user's groups; where the user has no entry in the system's database, in the owner's group
/// alone. For others nothing happens. Errors: by errno.
Result<void> become_user(const FileOwner& owner);

}  // namespace steward
