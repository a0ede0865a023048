// The backups of a repository, read from the beginnings of their manifests.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "core/repository/backup_summary.h"
#include "core/repository/repository.h"

namespace steward {

/// A backup whose manifest is there and cannot be understood.
struct DamagedBackup {
    std::string label;
    Error error;
};

/// Reads the list of backups; remembers what it has read, since manifests never change. For one thread.
class Catalog {
public:
    /// All backups in the order of (timeline, start LSN, label), oldest first. One damaged manifest does not hide the others:
    /// it is added to `damaged` and left out. Errors: as Storage::list and read.
    Result<std::vector<BackupSummary>> read(const Repository& repository);

    /// Manifests that could not be understood at the last read.
    const std::vector<DamagedBackup>& damaged() const { return damaged_; }

private:
    std::map<std::string, BackupSummary> known_;  ///< by key
    std::vector<DamagedBackup> damaged_;
};

/// Read one backup's summary: header, index and first frame of its manifest only. Errors: not_found, corrupt_object.
Result<BackupSummary> load_summary(const Repository& repository, std::string_view label);

/// WAL that is there, as runs without a hole: what `pg_steward info` shows.
struct WalRange {
    uint32_t timeline;
    std::string first;  ///< segment names, inclusive
    std::string last;
    uint64_t segments;
    uint64_t repository_bytes;
};

/// List the stored WAL segments of all timelines as gapless ranges, in order. O(segments). Errors: as Storage::list.
Result<std::vector<WalRange>> list_wal_ranges(const Repository& repository);

}  // namespace steward
