#include "core/archive/gap_watch.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <utility>

namespace steward {

namespace {

using Ranges = std::map<uint64_t, uint64_t>;

/// What is in `ranges` and not in `taken`.
Ranges without(const Ranges& ranges, const Ranges& taken) {
    Ranges rest;
    for (const auto& [begin, last] : ranges) {
        uint64_t first = begin;
        auto next = taken.upper_bound(first);
        if (next != taken.begin() && std::prev(next)->second >= first) first = std::prev(next)->second + 1;
        for (; first <= last && next != taken.end() && next->first <= last; ++next) {
            if (next->first > first) rest.emplace(first, next->first - 1);
            first = next->second + 1;
        }
        if (first <= last) rest.emplace(first, last);
    }
    return rest;
}

/// What is in both.
Ranges both(const Ranges& one, const Ranges& other) { return without(one, without(one, other)); }

Ranges between(const Ranges& stored) {
    Ranges holes;
    for (auto run = stored.begin(); run != stored.end(); ++run)
        if (const auto next = std::next(run); next != stored.end()) holes.emplace(run->second + 1, next->first - 1);
    return holes;
}

}  // namespace

std::vector<RecordedGap> GapWatch::look(const WalInventory& wal, const std::vector<std::string>& ready, const std::vector<RecordedGap>& ledger,
                                        TimePoint now) {
    const uint32_t size = wal.segment_size();
    WalInventory explained(size);  // waiting, or in the ledger
    for (const std::string& name : ready)
        if (const auto segment = parse_wal_segment_name(name, size); segment.ok())
            explained.add(segment->timeline, segment->segment_number, segment->segment_number);
    for (const RecordedGap& gap : ledger) explained.add(gap.timeline, segment_of(gap.begin, size), segment_before(gap.end, size));

    WalInventory missing(size);
    std::vector<RecordedGap> gaps;
    for (const TimelineId timeline : wal.timelines()) {
        const Ranges holes = without(between(wal.ranges(timeline)), explained.ranges(timeline));
        for (const auto& [first, last] : holes) missing.add(timeline, first, last);
        for (const auto& [first, last] : both(holes, seen_.ranges(timeline)))
            gaps.push_back({timeline, start_lsn(first, size), start_lsn(last + 1, size), GapReason::kMissing, now, {}});
    }
    seen_ = std::move(missing);
    return gaps;
}

}  // namespace steward
