// What the repositories hold, together: the facts from which restores and recovery windows are planned.
#pragma once

#include <cstddef>
#include <map>
#include <set>
#include <vector>

#include "core/postgres/timeline.h"
#include "core/repository/backup_summary.h"
#include "core/repository/catalog.h"
#include "core/repository/gap_ledger.h"
#include "core/repository/restore_points.h"
#include "core/restore/wal_inventory.h"

namespace steward {

struct BackupFact {
    BackupSummary summary;
    size_t repository = 0;  ///< the first one that holds it, 0-based
};

struct RestoreFacts {
    std::vector<BackupFact> backups;  ///< in the order of (timeline, start LSN), oldest first
    WalInventory wal;
    std::map<TimelineId, TimelineHistory> histories = {};  ///< of the history files that are there
    std::vector<DamagedBackup> damaged = {};  ///< backups that no repository holds in one piece
    std::vector<RecordedGap> gaps = {};       ///< of all ledgers; WAL that is there wins over them
    std::vector<RecordedRestorePoint> restore_points = {};
};

/// The history of a timeline; one without ancestors when its file is not there.
TimelineHistory history_of(const RestoreFacts& facts, TimelineId timeline);

/// Every timeline with WAL, a history or a backup.
std::set<TimelineId> known_timelines(const RestoreFacts& facts);

/// Whether recovery of the backup can follow `history`: it starts and ends on it.
bool is_on_history(const BackupSummary& backup, const TimelineHistory& history);

}  // namespace steward
