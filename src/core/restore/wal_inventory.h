// Which WAL segments are there: the planner's view of all repositories together.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "core/postgres/timeline.h"
#include "core/postgres/wal_name.h"

namespace steward {

/// A set of segments, kept as ranges. A value: made of facts, without I/O.
class WalInventory {
public:
    explicit WalInventory(uint32_t segment_size) : segment_size_(segment_size) {}

    uint32_t segment_size() const { return segment_size_; }

    /// Add the segments `first` to `last`, both included. Ranges may overlap and come in any order.
    void add(TimelineId timeline, uint64_t first, uint64_t last);

    bool has(WalSegmentName name) const;

    /// The segment that holds number `segment_number` of `history`'s WAL: the one of the youngest timeline, which begins with its
    /// ancestors' records (TimelineHistory::segments_between).
    WalSegmentName on_history(const TimelineHistory& history, uint64_t segment_number) const;

    /// Whether any segment of `history` after number `segment_number` is there.
    bool has_beyond(const TimelineHistory& history, uint64_t segment_number) const;

    /// The segments of one timeline as (first, last), both included; in order, neither overlapping nor adjacent.
    const std::map<uint64_t, uint64_t>& ranges(TimelineId timeline) const;

    /// Every timeline with a segment, in order.
    std::vector<TimelineId> timelines() const;

private:
    uint32_t segment_size_;
    std::map<TimelineId, std::map<uint64_t, uint64_t>> ranges_;  ///< first -> last; neither overlapping nor adjacent
};

/// How far recovery along one history gets.
struct WalReach {
    std::vector<WalSegmentName> segments;  ///< from the first needed one on, without a hole
    Lsn end;                               ///< of the last of them
    std::optional<WalSegmentName> missing;  ///< the first hole, where there is WAL beyond it
};

/// Follow `history` from the segment that holds `from` until one is missing. O(segments).
WalReach reach_from(const WalInventory& wal, const TimelineHistory& history, Lsn from);

}  // namespace steward
