// The decision which backup and which timeline serve a recovery target: facts in, candidates out, no I/O.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/restore/recovery_target.h"
#include "core/restore/recovery_window.h"
#include "core/restore/restore_facts.h"

namespace steward {

struct RestoreChoice {
    std::optional<std::string> label;  ///< of the backup; without it the newest that serves the target
    RecoveryTarget target;
};

/// A backup from which the target may be reached.
struct Candidate {
    BackupFact backup;
    TimelineHistory history;  ///< that recovery follows
    WalReach reach;           ///< from the backup's first segment on
    std::optional<WalHole> hole = {};   ///< where `reach` ends with WAL beyond it
    /// Where restore points of the target's name are recorded within reach, after the backup; ascending.
    std::vector<RecordedRestorePoint> recorded_points = {};
};

/// List the backups that serve `choice`, best (newest) first; never empty.
///
/// All WAL from the start to the stop of each is there. For times and positions they end before the target; whether the
/// WAL holds the target is for prove_target (target_proof.h) to say, as is which one serves a transaction or a restore point.
///
/// Errors: not_found when there is no backup at all or none called `choice.label`, listing those there are; missing_wal naming
/// the first missing segment when a backup would serve but for that; unreachable_target naming the earliest one reachable.
/// For the end of the WAL, missing_wal too when a hole has more WAL behind it: stopping at a hole would lose data in silence.
Result<std::vector<Candidate>> list_candidates(const RestoreFacts& facts, const RestoreChoice& choice);

/// The value of recovery_target_timeline that makes the server follow `candidate.history`. "latest" where the server would find the
/// same timeline by itself, so that it also finds the one of a promotion in the meantime; a number otherwise.
std::string timeline_setting(const RestoreFacts& facts, const Candidate& candidate, const RecoveryTarget& target);

/// The error for WAL that is missing before `candidate`'s newest WAL, which has a hole: it names the reason and the nearest reachable points
/// on both sides. `reachable` is the start of the last whole record before the hole.
Error hole_error(const Candidate& candidate, uint32_t segment_size, std::optional<Lsn> reachable);

}  // namespace steward
