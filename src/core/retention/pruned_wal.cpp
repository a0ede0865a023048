#include "core/retention/pruned_wal.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <string_view>

#include "core/retention/backup_state.h"
#include "core/retention/leftovers.h"

namespace steward {

namespace {

using Ranges = std::vector<PrunedRange>;

/// Sort, and make one of ranges that overlap or touch.
Ranges merged(Ranges ranges) {
    std::ranges::sort(ranges);
    Ranges result;
    for (const PrunedRange& range : ranges) {
        if (!result.empty() && result.back().timeline == range.timeline && range.first <= result.back().last + 1)
            result.back().last = std::max(result.back().last, range.last);
        else
            result.push_back(range);
    }
    return result;
}

/// `ranges` without `taken`; both merged.
Ranges without(const Ranges& ranges, const Ranges& taken) {
    Ranges result;
    for (PrunedRange range : ranges) {
        bool rest = true;
        for (const PrunedRange& take : taken) {
            if (take.timeline != range.timeline || take.last < range.first || take.first > range.last) continue;
            if (take.first > range.first) result.push_back({range.timeline, range.first, take.first - 1});
            rest = take.last < range.last;
            if (!rest) break;
            range.first = take.last + 1;
        }
        if (rest) result.push_back(range);
    }
    return result;
}

/// For each timeline, the segment in which the oldest kept backup that can be recovered along it begins.
class Beginnings {
public:
    Beginnings(const ExpiryFacts& facts, const ExpiryPlan& plan) : facts_(facts), lineage_(facts) {
        for (const BackupVerdict& backup : plan.backups)
            if (backup.verdict == Verdict::kKeep) kept_.insert(backup.label);
    }

    /// Whether a kept backup stands before the range, so that it is a hole and not a beginning.
    bool before(const PrunedRange& range) {
        const auto [known, is_new] = first_.try_emplace(range.timeline, UINT64_MAX);
        if (is_new) known->second = find(range.timeline);
        return known->second <= range.first;
    }

private:
    uint64_t find(TimelineId timeline) const {
        const TimelineHistory history = lineage_.history(timeline);
        uint64_t first = UINT64_MAX;
        for (const BackupRecord& backup : facts_.backups)
            if (kept_.contains(backup.summary.label) && leads_to(backup.summary, history))
                first = std::min(first, segment_of(backup.summary.start_lsn, facts_.wal_segment_size));
        return first;
    }

    const ExpiryFacts& facts_;
    const Lineage lineage_;
    std::set<std::string_view> kept_;
    std::map<TimelineId, uint64_t> first_;
};

Ranges with_verdict(const ExpiryPlan& plan, Verdict verdict) {
    Ranges ranges;
    for (const WalVerdict& wal : plan.wal)
        if (wal.verdict == verdict) ranges.push_back({wal.timeline, wal.first, wal.last});
    return merged(std::move(ranges));
}

}  // namespace

PrunedRecords plan_pruned_records(const ExpiryFacts& facts, const RetentionPolicy& policy, const ExpiryPlan& plan,
                                  const std::vector<PrunedRange>& recorded) {
    if (is_on_hold(facts, plan, policy)) return {};
    Beginnings beginnings(facts, plan);
    Ranges holes = with_verdict(plan, Verdict::kRemove);
    std::ranges::copy(recorded, std::back_inserter(holes));
    holes = without(merged(std::move(holes)), with_verdict(plan, Verdict::kKeep));
    std::erase_if(holes, [&](const PrunedRange& range) { return !beginnings.before(range); });

    Ranges there = recorded;
    std::ranges::sort(there);
    PrunedRecords records;
    std::ranges::set_difference(holes, there, std::back_inserter(records.record));
    std::ranges::set_difference(there, holes, std::back_inserter(records.withdraw));
    return records;
}

}  // namespace steward
