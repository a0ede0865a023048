// All that is to be seen of a data directory before its server starts.
#pragma once

#include <filesystem>
#include <vector>

#include "core/base/result.h"
#include "core/preseed/seed_evidence.h"

namespace steward {

/// Look at `directory` and `mount_points` as inspect_seed does, and for the journal of an upgrade beside the directory. Changes nothing. Errors: as
/// inspect_seed and see_upgrade.
Result<SeedEvidence> look_at_directory(const std::filesystem::path& directory, const std::vector<std::filesystem::path>& mount_points);

}  // namespace steward
