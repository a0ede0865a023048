// Pointing to what is left of clusters that had a name before, when what has it now cannot serve.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/base/error.h"
#include "core/repository/repository.h"

namespace steward {

/// Whether `former`, which had the name before in this store, has a backup of this label, or any. What cannot be read is none.
bool has_backup_of(const Repository& repository, const Identity& former, const std::optional<std::string>& label);

/// Whether a cluster that had the name before may serve what has failed with this code: nothing is there, or it is too late.
bool may_be_in_former_system(ErrorCode code);

/// Add to the error of a restore which cluster that had the name before has a backup (called `label`, if that is given), and how to restore it.
/// The error is as it was when there is none. Reads the repositories.
Error point_to_former_systems(Error error, std::span<const Repository> repositories, const std::optional<std::string>& label);

}  // namespace steward
