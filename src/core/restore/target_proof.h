// Proving before anything is written that the WAL leads to the recovery target.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/restore/choose_backup.h"
#include "core/restore/restore_progress.h"

namespace steward {

/// Where the target was found.
struct TargetProof {
    size_t candidate = 0;      ///< the one that serves it
    std::optional<Lsn> lsn;    ///< of the record at which recovery stops
    std::optional<TimePoint> time;  ///< of that record, where it has one
};

enum class TargetCheck { kScanWal, kNone };

/// Choose among `candidates` (list_candidates, newest first) the first from which `target` is reached, reading WAL.
///
/// A restore point or transaction is searched from the newest backup's end on, then between each older backup and the next;
/// the server refuses a target that lies before the backup is consistent. A time needs the end of a transaction after
/// it, a position a record at or after it: without one the server would end recovery with an error after hours of replay.
/// A restore point that is recorded (Candidate::recorded_points) is looked up where it is recorded, and searched only if it is not there.
/// With kNone the newest candidate is taken, unread; for a restore point that is recorded the newest one that reaches it.
///
/// Errors: unreachable_target naming the last time or LSN that can be reached; missing_wal for a hole in the way (also with
/// kNone for the end of the WAL); as WalScanner::visit.
Result<TargetProof> prove_target(std::span<const Repository> repositories, std::span<const Candidate> candidates, const RecoveryTarget& target,
                                 TargetCheck check, int workers, RestoreProgress& progress, const CancelToken& cancel);

}  // namespace steward
