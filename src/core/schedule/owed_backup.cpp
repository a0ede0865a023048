#include "core/schedule/owed_backup.h"

#include <algorithm>

namespace steward {

std::optional<TimePoint> owed_backup_at(const OwedBackupFacts& facts) {
    if (!facts.owed || facts.in_recovery || facts.running) return std::nullopt;
    // A server that was taken back to before the gap has left it behind.
    if (facts.reached.timeline < facts.owed->timeline || facts.reached.lsn < facts.owed->lsn) return std::nullopt;
    // That backup may be the one.
    if (facts.last_end && facts.looked <= *facts.last_end) return std::nullopt;
    if (facts.last_end && facts.last_failed) return std::max(facts.now, *facts.last_end + kOwedBackupPause);
    return facts.now;
}

}  // namespace steward
