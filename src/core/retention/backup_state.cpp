#include "core/retention/backup_state.h"

#include <algorithm>
#include <string_view>
#include <tuple>

#include "core/base/format.h"
#include "core/restore/wal_inventory.h"

namespace steward {

namespace {

/// What the repository holds, for looking up.
struct Inventory {
    WalInventory wal;
    std::set<std::string_view> packs;
};

Inventory take_inventory(const ExpiryFacts& facts) {
    Inventory inventory{WalInventory(facts.wal_segment_size), {}};
    for (const StoredWal& wal : facts.wal) inventory.wal.add(wal.timeline, wal.first, wal.last);
    for (const StoredPack& pack : facts.packs) inventory.packs.insert(pack.name);
    return inventory;
}

/// What the backup lacks to be restored to its own stop, or nothing.
std::string find_missing(const BackupRecord& record, const Lineage& lineage, const Inventory& inventory) {
    const BackupSummary& backup = record.summary;
    const TimelineHistory history = lineage.history(backup.stop_timeline);
    const uint32_t segment_size = inventory.wal.segment_size();
    if (!leads_to(backup, history))
        return formatted("its start or stop is not in the history of timeline {}", backup.stop_timeline);
    const auto segments = history.segments_between(backup.timeline, backup.start_lsn, backup.stop_lsn, segment_size);
    if (!segments.ok()) return segments.error().message();
    for (const WalSegmentName& segment : *segments)
        if (!inventory.wal.has(segment)) return formatted("WAL segment \"{}\" is missing", to_string(segment, segment_size));
    for (const std::string& pack : record.packs.value_or(std::vector<std::string>()))
        if (!inventory.packs.contains(pack)) return formatted("pack \"{}\" is missing", pack);
    return {};
}

}  // namespace

bool BackupState::promises_recovery() const {
    return std::ranges::any_of(reasons, [](const BackupReason& reason) {
        switch (reason.rule) {
            case BackupRule::kNewestComplete:
            case BackupRule::kNewestClean:
            case BackupRule::kNewestTimeline:
            case BackupRule::kNoneNewerComplete:
            case BackupRule::kCount:
            case BackupRule::kWindow: return true;
            default: return false;
        }
    });
}

Lineage::Lineage(const ExpiryFacts& facts) : histories_(facts.histories) {
    for (const auto& [timeline, history] : facts.histories) timelines_.insert(timeline);
    for (const BackupRecord& backup : facts.backups) timelines_.insert({backup.summary.timeline, backup.summary.stop_timeline});
    for (const RunningBackup& backup : facts.running) timelines_.insert(backup.timeline);
}

TimelineHistory Lineage::history(TimelineId timeline) const {
    const auto found = histories_.find(timeline);
    return found == histories_.end() ? TimelineHistory(timeline) : found->second;
}

bool leads_to(const BackupSummary& backup, const TimelineHistory& history) {
    return history.contains(backup.timeline, backup.start_lsn) && history.contains(backup.stop_timeline, backup.stop_lsn);
}

std::vector<BackupState> examine_backups(const ExpiryFacts& facts, const Lineage& lineage) {
    const Inventory inventory = take_inventory(facts);
    std::vector<BackupState> states;
    states.reserve(facts.backups.size());
    for (const BackupRecord& record : facts.backups) states.push_back({&record, find_missing(record, lineage, inventory), {}});
    std::ranges::sort(states, {}, [](const BackupState& state) {
        return std::tuple(state.summary().timeline, state.summary().start_lsn, std::string_view(state.summary().label));
    });
    return states;
}

}  // namespace steward
