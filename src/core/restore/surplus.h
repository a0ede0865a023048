// What stands in the way of a restore into a directory that is not empty.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <vector>

#include "core/backup/manifest.h"
#include "core/base/result.h"

namespace steward {

/// Files and directories of a data directory and its tablespaces that a backup does not have, or not as that.
struct SurplusContent {
    std::vector<std::filesystem::path> paths;  ///< absolute; what is below a path that goes is not listed itself
    uint64_t files = 0;                        ///< links and the files below directories among them
    uint64_t directories = 0;
    uint64_t bytes = 0;
    uint64_t unarchived_wal = 0;  ///< WAL files among them that the server had still to archive
};

/// Find what `manifest` does not have in `data_directory` and, by OID, in the directories of `tablespaces`. Changes nothing.
///
/// Neither the control file nor the marker of a restore counts, nor "lost+found", nor what other versions have in a tablespace's
/// directory. A link to a directory stands for it where the manifest has one: the WAL may be on a disk of its own. O(files), one lstat
/// each. Errors: by errno, naming the path.
Result<SurplusContent> find_surplus(const Manifest& manifest, const std::filesystem::path& data_directory,
                                    const std::map<uint32_t, std::filesystem::path>& tablespaces);

/// Remove it; links are not followed. What is gone already is fine. Errors: by errno, naming the path.
Result<void> remove_surplus(const SurplusContent& surplus);

}  // namespace steward
