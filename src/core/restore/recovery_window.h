// Which points can be reached, timeline by timeline, and which cannot and why. A planner: facts in, intervals and holes out.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/restore/restore_facts.h"

namespace steward {

/// Positions of one timeline that can all be reached: there is a backup before each, and all WAL from its start on.
struct ReachableInterval {
    TimelineId timeline = 0;
    Lsn begin;               ///< where `backup` becomes consistent, or where the timeline forked off if that is later
    Lsn end;                 ///< end of the last stored segment, inclusive as a position
    std::string backup;      ///< the oldest one that leads here
    std::optional<TimePoint> begin_time;  ///< when `backup` ended; nothing where the interval begins with the timeline's fork
    /// The latest time that is known to be reached without reading WAL: of a backup's end or a restore point in the interval. Commits after
    /// it, up to `end`, are reached as well.
    std::optional<TimePoint> known_until;
};

/// A point beside a hole.
struct ReachablePoint {
    Lsn lsn;
    std::optional<TimePoint> time;  ///< as far as known; at `lsn` or before
    std::string backup;             ///< with which it is reached
};

/// Segments of one timeline that are not there, with WAL before them.
struct WalHole {
    TimelineId timeline = 0;
    Lsn begin;  ///< at a segment boundary
    Lsn end;    ///< exclusive, at a segment boundary
    GapReason reason = GapReason::kMissing;
    std::optional<TimePoint> recorded{};     ///< when it was entered into the ledger; nothing when it is not entered yet
    std::string note{};
    std::optional<ReachablePoint> before{};  ///< the last reachable point before it
    std::optional<ReachablePoint> after{};   ///< the first reachable point after it: where a backup becomes consistent
};

struct RecoveryWindow {
    std::vector<ReachableInterval> intervals;  ///< in the order of (timeline, begin)
    std::vector<WalHole> holes;                ///< in the order of (timeline, begin)
};

/// Find all intervals and holes. What the inventory holds wins over the ledger: a hole is what is not there, the ledger only says why.
/// O(timelines * (WAL ranges + backups + restore points + gaps)). Pure.
RecoveryWindow recovery_window(const RestoreFacts& facts);

/// The interval in which position `lsn` of `timeline` lies; nullptr when it cannot be reached.
const ReachableInterval* interval_at(const RecoveryWindow& window, TimelineId timeline, Lsn lsn);

/// The hole that has segment number `segment_number` of `history`, which is not there; its neighbours are those along `history`. Pure.
WalHole hole_at(const RestoreFacts& facts, const TimelineHistory& history, uint64_t segment_number);

/// The newest hole of WAL that was given up, where no backup has begun behind it yet: nothing after it can be recovered. Pure.
std::optional<WalHole> hole_that_wants_a_backup(const RecoveryWindow& window, const RestoreFacts& facts);

/// `WAL segment "..." is missing`, `WAL segments "..." to "..." were given up ...`: a clause for messages.
std::string describe(const WalHole& hole, uint32_t segment_size);

}  // namespace steward
