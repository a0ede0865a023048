// Which WAL segments are there: the planner's view of all repositories together.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/postgres/timeline.h"
#include "core/postgres/wal_name.h"

namespace steward {

/// A set of segments, kept as ranges, and the tails of segments that were not finished. A value: made of facts, without I/O.
class WalInventory {
public:
    explicit WalInventory(uint32_t segment_size) : segment_size_(segment_size) {}

    uint32_t segment_size() const { return segment_size_; }

    /// Add the segments `first` to `last`, both included. Ranges may overlap and come in any order.
    void add(TimelineId timeline, uint64_t first, uint64_t last);

    /// Add a segment that was not finished: its WAL ends at `end`, which is in it. Where the whole one is there as well, that counts.
    void add_tail(WalSegmentName name, Lsn end);

    bool has(WalSegmentName name) const;
    /// Where the WAL of a segment ends that was not finished, or nothing when there is no tail of it, or all of it.
    std::optional<Lsn> tail_end(WalSegmentName name) const;

    /// The segment that holds number `segment_number` of `history`'s WAL: the one of the youngest timeline, which begins with its
    /// ancestors' records (TimelineHistory::segments_between).
    WalSegmentName on_history(const TimelineHistory& history, uint64_t segment_number) const;

    /// Whether any segment of `history` after number `segment_number` is there, be it only a tail.
    bool has_beyond(const TimelineHistory& history, uint64_t segment_number) const;

    /// The segments of one timeline as (first, last), both included; in order, neither overlapping nor adjacent.
    const std::map<uint64_t, uint64_t>& ranges(TimelineId timeline) const;

    /// Every timeline with a segment or a tail, in order.
    std::vector<TimelineId> timelines() const;

private:
    uint32_t segment_size_;
    std::map<TimelineId, std::map<uint64_t, uint64_t>> ranges_;  ///< first -> last; neither overlapping nor adjacent
    std::map<WalSegmentName, Lsn> tails_;
};

/// How far recovery along one history gets.
struct WalReach {
    std::vector<WalSegmentName> segments;  ///< from the first needed one on, without a hole
    Lsn whole_end;                         ///< of the last of them that is whole
    std::optional<WalSegmentName> tail;    ///< the last of them, where it was not finished
    Lsn end;                               ///< of the last of them: of the tail, if there is one
    std::optional<WalSegmentName> missing;  ///< the first hole, where there is WAL beyond it
};

/// Follow `history` from the segment that holds `from` until one is missing or was not finished. O(segments).
WalReach reach_from(const WalInventory& wal, const TimelineHistory& history, Lsn from);

}  // namespace steward
