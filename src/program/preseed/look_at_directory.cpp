#include "program/preseed/look_at_directory.h"

#include "program/upgrade/upgrade_run.h"

namespace steward {

namespace fs = std::filesystem;

Result<SeedEvidence> look_at_directory(const fs::path& directory, const std::vector<fs::path>& mount_points) {
    TRY_ASSIGN(SeedEvidence evidence, inspect_seed(directory, mount_points));
    TRY_ASSIGN(evidence.upgrade, see_upgrade(evidence.directory));
    return evidence;
}

}  // namespace steward
