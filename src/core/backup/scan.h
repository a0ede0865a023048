// Finding out what a base backup consists of: the facts that the plan is made of.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/result.h"

namespace steward {

/// A file as it was when it was seen; a running server goes on changing it.
struct ScannedFile {
    std::string path;  ///< relative to the data directory, tablespaces seen through their links
    uint64_t size = 0;
    uint32_t mode = 0600;
    TimePoint modified;
};

struct ScannedTree {
    std::vector<ManifestDirectory> directories;  ///< parents before children
    std::vector<ScannedFile> files;              ///< in byte order of the paths; without global/pg_control
    ScannedFile control_file;                    ///< global/pg_control, which must be copied after all others
    std::vector<ManifestTablespace> tablespaces; ///< in the order of their OIDs' texts

    uint64_t bytes() const;
};

/// List what a backup of `data_directory` holds, by the rules of the server's own base backup (exclusion_of, unlogged_files).
///
/// `version_directory` is tablespace_version_directory() of the cluster: all else in a tablespace belongs to others. What
/// vanishes meanwhile was dropped and is left out, as replay will. Links and special files that mean nothing to the server
/// are passed over with a warning. O(files), one lstat each. Errors: by errno, naming file or directory; not_found when there
/// is no control file; cancelled.
Result<ScannedTree> scan_data_directory(const std::filesystem::path& data_directory, const std::string& version_directory, Log& log,
                                        const CancelToken& cancel);

}  // namespace steward
