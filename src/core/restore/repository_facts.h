// Gathering what the repositories hold, for the planner and for `pg_steward info`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/repository/catalog.h"
#include "core/repository/repository.h"
#include "core/repository/wal_tail.h"
#include "core/restore/restore_facts.h"

namespace steward {

/// What one repository holds of its cluster.
struct RepositoryContent {
    std::vector<BackupSummary> backups;  ///< in the order of (timeline, start LSN), oldest first
    std::vector<WalRange> wal;           ///< in order
    std::vector<WalTail> tails;          ///< of segments that were not finished, in order
    std::map<TimelineId, TimelineHistory> histories;
    std::vector<DamagedBackup> damaged_backups;
    std::vector<Error> damaged_histories;  ///< timeline history files that could not be understood and were left out
    std::vector<RecordedRestorePoint> restore_points;  ///< in the order of (timeline, LSN)
    std::vector<RecordedGap> gaps;                     ///< entries of the ledger, in the order of (timeline, begin)
    std::vector<Error> damaged_records;    ///< restore points and gaps that could not be understood and were left out

    /// All of it, for people.
    std::vector<Error> damage() const;
};

/// Lists a repository again and again; what never changes is read once. For one thread and one repository.
class ContentReader {
public:
    /// Errors: as read_content.
    Result<RepositoryContent> read(const Repository& repository);

private:
    Catalog catalog_;
    RestorePoints restore_points_;
    GapLedger gaps_;
};

/// List a repository. The tail of a segment that is there whole, which is about to be removed, is left out. A damaged object does not hide the others. Errors: as Storage::list and read.
Result<RepositoryContent> read_content(const Repository& repository);

/// Merge what several repositories hold: a backup counts for the first that has it, WAL for any, and the pieces
/// of a tail together. `contents` is not empty and
/// all its repositories belong to one cluster with this segment size. Pure.
RestoreFacts merge_contents(std::span<const RepositoryContent> contents, uint32_t wal_segment_size);

}  // namespace steward
