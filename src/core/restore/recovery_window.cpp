#include "core/restore/recovery_window.h"

#include <algorithm>
#include <map>

#include "core/base/format.h"

namespace steward {

namespace {

/// First segment -> last segment, both included.
using Ranges = std::map<uint64_t, uint64_t>;

/// The segments that recovery along a history reads from one of its timelines.
struct Part {
    TimelineId timeline;
    uint64_t first;
    uint64_t end;  ///< exclusive
};

std::vector<Part> parts_of(const TimelineHistory& history, uint32_t segment_size) {
    // The segment with a switch point is read from the younger timeline (WalInventory::on_history).
    std::vector<Part> parts;
    uint64_t first = 0;
    for (const TimelineHistoryEntry& entry : history.ancestors()) {
        const uint64_t end = segment_of(entry.switch_lsn, segment_size);
        if (end > first) parts.push_back({entry.timeline, first, end});
        first = std::max(first, end);
    }
    parts.push_back({history.timeline(), first, UINT64_MAX / segment_size});
    return parts;
}

Lsn beginning_of(const TimelineHistory& history) { return history.ancestors().empty() ? Lsn{} : history.ancestors().back().switch_lsn; }

/// A backup's way through WAL without a hole.
struct Way {
    const BackupSummary* backup;  ///< the oldest that goes it
    Lsn whole_end;                ///< of the last whole segment
    Lsn end;                      ///< likewise, or of the tail behind it
    TimePoint known_until;
};

/// What recovery along one history finds.
class Path {
public:
    Path(const RestoreFacts& facts, const TimelineHistory& history)
        : facts_(facts), history_(history), size_(facts.wal.segment_size()), parts_(parts_of(history, size_)), stored_(size_) {
        for (const Part& part : parts_)
            for (const auto& [first, last] : facts.wal.ranges(part.timeline))
                if (first < part.end && last >= part.first) stored_.add(kPath, std::max(first, part.first), std::min(last, part.end - 1));
        find_ways();
        find_holes();
    }

    /// In order; none overlaps another.
    const std::vector<Way>& ways() const { return ways_; }
    /// In order, with their neighbours.
    const std::vector<WalHole>& holes() const { return holes_; }

private:
    static constexpr TimelineId kPath = 1;  ///< an inventory of the path needs a number for it

    const Ranges& stored() const { return stored_.ranges(kPath); }

    void find_ways() {
        std::map<uint64_t, Way> by_run;  // by the run's first segment
        for (const BackupFact& fact : facts_.backups) {
            const BackupSummary& backup = fact.summary;
            if (!is_on_history(backup, history_)) continue;
            const auto after = stored().upper_bound(segment_of(backup.start_lsn, size_));
            if (after == stored().begin()) continue;
            const auto& [first, last] = *std::prev(after);
            const Lsn whole_end = start_lsn(last + 1, size_);
            if (last < segment_of(backup.start_lsn, size_) || whole_end < backup.stop_lsn) continue;
            const auto [way, added] = by_run.try_emplace(first, Way{&backup, whole_end, end_of_tail(last + 1).value_or(whole_end), backup.stopped});
            way->second.known_until = std::max(way->second.known_until, backup.stopped);
            if (!added && backup.stop_lsn < way->second.backup->stop_lsn) way->second.backup = &backup;
        }
        for (auto& [first, way] : by_run) {
            for (const RecordedRestorePoint& point : facts_.restore_points)
                if (point.lsn > way.backup->stop_lsn && point.lsn <= way.end && history_.contains(point.timeline, point.lsn))
                    way.known_until = std::max(way.known_until, point.time);
            ways_.push_back(way);
        }
    }

    /// Where the tail of segment `number` ends on this path, if there is one.
    std::optional<Lsn> end_of_tail(uint64_t number) const {
        const WalSegmentName name = facts_.wal.on_history(history_, number);
        const std::optional<Lsn> end = facts_.wal.tail_end(name);
        const Result<std::optional<Lsn>> fork = history_.end_of(name.timeline);
        // What an ancestor wrote behind the fork is not on this path.
        return end && fork.ok() && *fork ? std::min(*end, **fork) : end;
    }

    void find_holes() {
        if (stored().empty()) return;
        WalInventory missing(size_);
        const auto add_between = [&](uint64_t first, uint64_t end) {
            for (const Part& part : parts_)
                if (first < part.end && end > part.first) missing.add(part.timeline, std::max(first, part.first), std::min(end, part.end) - 1);
        };
        for (auto run = stored().begin(), next = std::next(run); next != stored().end(); run = next++) add_between(run->second + 1, next->first);
        // Behind the last segment only the ledger knows of a hole.
        const uint64_t beyond = stored().rbegin()->second + 1;
        for (const Part& part : parts_)
            for (const RecordedGap& gap : facts_.gaps) {
                if (gap.timeline != part.timeline) continue;
                const uint64_t first = std::max({segment_of(gap.begin, size_), part.first, beyond});
                const uint64_t end = std::min(segment_before(gap.end, size_) + 1, part.end);
                if (first < end) missing.add(part.timeline, first, end - 1);
            }
        for (const Part& part : parts_)
            for (const auto& [first, last] : missing.ranges(part.timeline)) add_holes(part.timeline, first, last + 1);
        for (WalHole& hole : holes_) add_neighbours(hole);
    }

    /// One hole for each stretch that has one entry of the ledger, or none.
    void add_holes(TimelineId timeline, uint64_t first, uint64_t end) {
        std::set<uint64_t> cuts = {end};
        for (const RecordedGap& gap : facts_.gaps)
            for (const uint64_t cut : {segment_of(gap.begin, size_), segment_before(gap.end, size_) + 1})
                if (gap.timeline == timeline && cut > first && cut < end) cuts.insert(cut);
        const RecordedGap* former = nullptr;
        bool joins = false;
        for (const uint64_t cut : cuts) {
            const RecordedGap* const entry = entry_for(timeline, first);
            if (joins && entry == former) {
                holes_.back().end = start_lsn(cut, size_);
            } else {
                holes_.push_back({.timeline = timeline, .begin = start_lsn(first, size_), .end = start_lsn(cut, size_)});
                if (entry != nullptr) {
                    holes_.back().reason = entry->reason;
                    holes_.back().recorded = entry->time;
                    holes_.back().note = entry->note;
                }
            }
            former = entry;
            joins = true;
            first = cut;
        }
    }

    /// The entry that says most about a segment: what was done on purpose says more than that something is missing; then the earliest.
    const RecordedGap* entry_for(TimelineId timeline, uint64_t segment) const {
        const RecordedGap* best = nullptr;
        for (const RecordedGap& gap : facts_.gaps) {
            if (gap.timeline != timeline || segment < segment_of(gap.begin, size_) || segment > segment_before(gap.end, size_)) continue;
            const auto rank = [](const RecordedGap& g) { return std::pair(g.reason == GapReason::kMissing, g.time); };
            if (best == nullptr || rank(gap) < rank(*best)) best = &gap;
        }
        return best;
    }

    void add_neighbours(WalHole& hole) const {
        for (const Way& way : ways_) {
            if (way.whole_end <= hole.begin) hole.before = ReachablePoint{way.end, way.known_until, way.backup->label};
            if (way.backup->stop_lsn >= hole.end && !hole.after) hole.after = ReachablePoint{way.backup->stop_lsn, way.backup->stopped, way.backup->label};
        }
    }

    const RestoreFacts& facts_;
    const TimelineHistory& history_;
    const uint32_t size_;
    const std::vector<Part> parts_;
    WalInventory stored_;  ///< of all parts, under kPath
    std::vector<Way> ways_;
    std::vector<WalHole> holes_;
};

/// The part of a way that is on the history's own timeline, if any.
std::optional<ReachableInterval> clip(const Way& way, const TimelineHistory& history) {
    const Lsn fork = beginning_of(history);
    if (way.end <= fork) return std::nullopt;
    ReachableInterval interval{history.timeline(), way.backup->stop_lsn, way.end, way.backup->label, way.backup->stopped, way.known_until};
    if (fork > interval.begin) {
        interval.begin = fork;
        interval.begin_time.reset();
    }
    return interval;
}

}  // namespace

RecoveryWindow recovery_window(const RestoreFacts& facts) {
    RecoveryWindow window;
    for (const TimelineId timeline : known_timelines(facts)) {
        const TimelineHistory history = history_of(facts, timeline);
        const Path path(facts, history);
        for (const Way& way : path.ways())
            if (auto interval = clip(way, history)) window.intervals.push_back(std::move(*interval));
        // Those of the ancestors stand with the ancestors.
        for (const WalHole& hole : path.holes())
            if (hole.timeline == timeline) window.holes.push_back(hole);
    }
    return window;
}

const ReachableInterval* interval_at(const RecoveryWindow& window, TimelineId timeline, Lsn lsn) {
    const auto found = std::ranges::find_if(
        window.intervals, [&](const ReachableInterval& i) { return i.timeline == timeline && i.begin <= lsn && lsn <= i.end; });
    return found == window.intervals.end() ? nullptr : &*found;
}

WalHole hole_at(const RestoreFacts& facts, const TimelineHistory& history, uint64_t segment_number) {
    const Lsn begin = start_lsn(segment_number, facts.wal.segment_size());
    const Path path(facts, history);
    for (const WalHole& hole : path.holes())
        if (hole.begin <= begin && begin < hole.end) return hole;
    // Not there, and not between what is there: nothing is known of it but that.
    return {.timeline = facts.wal.on_history(history, segment_number).timeline, .begin = begin, .end = begin + facts.wal.segment_size()};
}

std::optional<WalHole> hole_that_wants_a_backup(const RecoveryWindow& window, const RestoreFacts& facts) {
    for (auto hole = window.holes.rbegin(); hole != window.holes.rend(); ++hole) {
        if (hole->reason != GapReason::kDropped) continue;
        const bool has_one = std::ranges::any_of(facts.backups, [&](const BackupFact& backup) {
            return backup.summary.timeline >= hole->timeline && backup.summary.start_lsn >= hole->end;
        });
        if (!has_one) return *hole;
    }
    return std::nullopt;
}

std::string describe(const WalHole& hole, uint32_t segment_size) {
    const uint64_t first = segment_of(hole.begin, segment_size), last = segment_before(hole.end, segment_size);
    const bool one = first == last;
    const std::string names = one ? formatted("WAL segment \"{}\"", to_string({hole.timeline, first}, segment_size))
                                  : formatted("WAL segments \"{}\" to \"{}\"", to_string({hole.timeline, first}, segment_size),
                                              to_string({hole.timeline, last}, segment_size));
    switch (hole.reason) {
        case GapReason::kMissing: return formatted("{} {} missing", names, one ? "is" : "are");
        case GapReason::kDropped: return formatted("{} {} dropped when too much WAL waited for the repository", names, one ? "was" : "were");
        case GapReason::kPruned: return formatted("{} {} removed by retention", names, one ? "was" : "were");
    }
    return names;
}

}  // namespace steward
