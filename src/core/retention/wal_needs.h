// Who needs which WAL: intervals of segments, and the reasons in force at each.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "core/retention/backup_state.h"

namespace steward {

/// One need of one backup on one timeline.
struct WalNeed {
    uint64_t first = 0;  ///< segment numbers, inclusive
    uint64_t last = 0;   ///< UINT64_MAX: no end
    WalRule rule = WalRule::kBackup;
    size_t rank = 0;     ///< of the backup in its list: lower is older
    std::string label;
};

using WalNeeds = std::map<TimelineId, std::vector<WalNeed>>;

/// Gather the needs of kept and running backups. `backups` have their reasons (apply_backup_rules). Pure.
WalNeeds gather_wal_needs(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const Lineage& lineage);

/// The reasons from a segment on, up to the next entry.
struct WalReasonsFrom {
    uint64_t first = 0;
    std::vector<WalReason> reasons;  ///< none: nobody needs it
};

/// Lay the needs of one timeline over each other. The result is sorted, begins at segment 0, and neighbours differ. `window` is its
/// text. O(needs * log(needs) + needs that overlap). Pure.
std::vector<WalReasonsFrom> lay_out(std::span<const WalNeed> needs, const std::string& window);

}  // namespace steward
