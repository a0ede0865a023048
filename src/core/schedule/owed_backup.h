// When a backup is taken whether backups are scheduled or not: because WAL was given up, and nothing behind the gap can be recovered until there
// is one; or because the cluster goes on for another one in the repository and has none of its own. A planner.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "core/base/clock.h"
#include "core/postgres/lsn.h"

namespace steward {

/// A backup that failed is tried again after this time.
inline constexpr std::chrono::seconds kOwedBackupPause{60};

/// A place in the WAL.
struct WalPlace {
    uint32_t timeline = 0;
    Lsn lsn;
};

struct OwedBackupFacts {
    std::optional<WalPlace> owed{};        ///< a backup has to begin here or later, with {} anywhere; nothing: none is owed
    TimePoint looked{};                    ///< when that was found out
    WalPlace reached{};                    ///< by this server
    bool in_recovery = false;
    bool running = false;                  ///< a backup is
    std::optional<TimePoint> last_end{};   ///< of a backup, with any result
    bool last_failed = false;              ///< and was owed as well
    TimePoint now{};
};

/// When to start the backup, now or later; nothing when none is owed, or when that has to be looked at again first. Pure.
std::optional<TimePoint> owed_backup_at(const OwedBackupFacts& facts);

}  // namespace steward
