#include "core/restore/wal_inventory.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace steward {

void WalInventory::add(TimelineId timeline, uint64_t first, uint64_t last) {
    std::map<uint64_t, uint64_t>& ranges = ranges_[timeline];
    auto next = ranges.upper_bound(first);
    if (next != ranges.begin()) {
        const auto before = std::prev(next);
        if (before->second + 1 >= first) {
            first = before->first;
            last = std::max(last, before->second);
            ranges.erase(before);
        }
    }
    while (next != ranges.end() && next->first <= last + 1) {
        last = std::max(last, next->second);
        next = ranges.erase(next);
    }
    ranges.emplace(first, last);
}

void WalInventory::add_tail(WalSegmentName name, Lsn end) {
    Lsn& known = tails_[name];
    known = std::max(known, end);
}

std::optional<Lsn> WalInventory::tail_end(WalSegmentName name) const {
    const auto found = tails_.find(name);
    return found == tails_.end() || has(name) ? std::nullopt : std::optional(found->second);
}

bool WalInventory::has(WalSegmentName name) const {
    const auto timeline = ranges_.find(name.timeline);
    if (timeline == ranges_.end()) return false;
    const auto after = timeline->second.upper_bound(name.segment_number);
    return after != timeline->second.begin() && std::prev(after)->second >= name.segment_number;
}

WalSegmentName WalInventory::on_history(const TimelineHistory& history, uint64_t segment_number) const {
    const Lsn last_byte = start_lsn(segment_number, segment_size_) + (segment_size_ - 1);
    return {history.timeline_at(last_byte), segment_number};
}

bool WalInventory::has_beyond(const TimelineHistory& history, uint64_t segment_number) const {
    for (const auto& [timeline, ranges] : ranges_) {
        if (!history.includes(timeline)) continue;
        for (const auto& [first, last] : ranges) {
            if (last <= segment_number) continue;
            // The range may leave the history half-way, at a switch point: then its beginning is on it and its end is not.
            const uint64_t earliest = std::max(first, segment_number + 1);
            if (on_history(history, earliest).timeline == timeline || on_history(history, last).timeline == timeline) return true;
        }
    }
    return std::ranges::any_of(tails_, [&](const auto& tail) {
        const WalSegmentName& name = tail.first;
        return name.segment_number > segment_number && history.includes(name.timeline) && on_history(history, name.segment_number) == name;
    });
}

const std::map<uint64_t, uint64_t>& WalInventory::ranges(TimelineId timeline) const {
    static const std::map<uint64_t, uint64_t> none;
    const auto found = ranges_.find(timeline);
    return found == ranges_.end() ? none : found->second;
}

std::vector<TimelineId> WalInventory::timelines() const {
    std::set<TimelineId> timelines;
    for (const auto& [timeline, ranges] : ranges_) timelines.insert(timeline);
    for (const auto& [name, end] : tails_) timelines.insert(name.timeline);
    return {timelines.begin(), timelines.end()};
}

WalReach reach_from(const WalInventory& wal, const TimelineHistory& history, Lsn from) {
    WalReach reach;
    uint64_t number = segment_of(from, wal.segment_size());
    for (;; ++number) {
        const WalSegmentName name = wal.on_history(history, number);
        if (!wal.has(name)) break;
        reach.segments.push_back(name);
    }
    reach.end = reach.whole_end = start_lsn(number, wal.segment_size());
    if (const std::optional<Lsn> end = wal.tail_end(wal.on_history(history, number))) {
        reach.tail = wal.on_history(history, number);
        reach.segments.push_back(*reach.tail);
        reach.end = *end;
    }
    if (wal.has_beyond(history, number)) reach.missing = wal.on_history(history, number);
    return reach;
}

}  // namespace steward
