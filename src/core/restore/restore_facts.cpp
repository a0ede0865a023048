#include "core/restore/restore_facts.h"

namespace steward {

TimelineHistory history_of(const RestoreFacts& facts, TimelineId timeline) {
    const auto found = facts.histories.find(timeline);
    return found == facts.histories.end() ? TimelineHistory(timeline) : found->second;
}

std::set<TimelineId> known_timelines(const RestoreFacts& facts) {
    std::set<TimelineId> known;
    for (const TimelineId timeline : facts.wal.timelines()) known.insert(timeline);
    for (const auto& [timeline, history] : facts.histories) known.insert(timeline);
    for (const BackupFact& backup : facts.backups) {
        known.insert(backup.summary.timeline);
        known.insert(backup.summary.stop_timeline);
    }
    return known;
}

bool is_on_history(const BackupSummary& backup, const TimelineHistory& history) {
    return history.contains(backup.timeline, backup.start_lsn) && history.contains(backup.stop_timeline, backup.stop_lsn);
}

}  // namespace steward
