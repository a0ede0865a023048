#include "core/retention/leftovers.h"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "core/retention/backup_rules.h"
#include "core/retention/backup_state.h"
#include "core/retention/wal_rules.h"

namespace steward {

namespace {

bool has_position(LeftoverKind kind) {
    switch (kind) {
        case LeftoverKind::kRestorePoint:
        case LeftoverKind::kWalTail:
        case LeftoverKind::kPartialSegment:
        case LeftoverKind::kBackupHistory: return true;
        default: return false;
    }
}

/// Judges places in the WAL by the rules for whole segments.
class Places {
public:
    Places(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const Lineage& lineage, const RetentionPolicy& policy,
           const std::vector<Leftover>& stored) {
        ExpiryFacts places;
        places.unreadable = facts.unreadable;
        places.running = facts.running;
        places.wal_segment_size = facts.wal_segment_size;
        std::set<std::pair<TimelineId, uint64_t>> known;
        for (const Leftover& leftover : stored)
            if (has_position(leftover.kind) && known.insert({leftover.timeline, leftover.first}).second)
                places.wal.push_back({leftover.timeline, leftover.first, leftover.first, 0});
        verdicts_ = judge_wal(places, backups, lineage, policy);
    }

    bool keeps(TimelineId timeline, uint64_t segment) const {
        const auto after = std::ranges::upper_bound(verdicts_, std::pair(timeline, segment), {},
                                                    [](const WalVerdict& wal) { return std::pair(wal.timeline, wal.first); });
        return after == verdicts_.begin() || std::prev(after)->verdict == Verdict::kKeep;
    }

    const std::vector<WalVerdict>& verdicts() const { return verdicts_; }

private:
    std::vector<WalVerdict> verdicts_;
};

/// What stays, as far as the rules for gaps and histories look at it.
struct Kept {
    std::set<TimelineId> timelines;
    uint64_t first_segment = UINT64_MAX;  ///< in which the oldest kept backup begins
};

Kept find_kept(const std::vector<BackupState>& backups, const ExpiryPlan& plan, const Places& places) {
    Kept kept;
    for (const BackupState& backup : backups) {
        if (!backup.kept()) continue;
        kept.timelines.insert({backup.summary().timeline, backup.summary().stop_timeline});
        kept.first_segment = std::min(kept.first_segment, segment_of(backup.summary().start_lsn, plan.wal_segment_size));
    }
    for (const std::vector<WalVerdict>& verdicts : {plan.wal, places.verdicts()})
        for (const WalVerdict& wal : verdicts)
            if (wal.verdict == Verdict::kKeep) kept.timelines.insert(wal.timeline);
    return kept;
}

bool needs_history(const Kept& kept, const Lineage& lineage, TimelineId timeline) {
    if (kept.timelines.empty() || timeline >= *kept.timelines.begin()) return true;
    return std::ranges::any_of(kept.timelines, [&](TimelineId t) { return lineage.history(t).includes(timeline) || lineage.is_unknown(t); });
}

}  // namespace

std::string_view name_of(LeftoverKind kind, uint64_t count) {
    switch (kind) {
        case LeftoverKind::kRestorePoint: return count == 1 ? "restore point" : "restore points";
        case LeftoverKind::kWalTail: return count == 1 ? "piece of unfinished WAL" : "pieces of unfinished WAL";
        case LeftoverKind::kPartialSegment: return count == 1 ? "partial segment" : "partial segments";
        case LeftoverKind::kBackupHistory: return count == 1 ? "backup history file" : "backup history files";
        case LeftoverKind::kGap: return count == 1 ? "record of missing WAL" : "records of missing WAL";
        case LeftoverKind::kTimelineHistory: return count == 1 ? "timeline history file" : "timeline history files";
        case LeftoverKind::kPin: return count == 1 ? "pin" : "pins";
    }
    return "";
}

bool is_on_hold(const ExpiryFacts& facts, const ExpiryPlan& plan, const RetentionPolicy& policy) {
    return policy.empty() || !facts.unreadable.empty() ||
           std::ranges::none_of(plan.backups, [](const BackupVerdict& backup) { return backup.incomplete.empty(); });
}

std::vector<Leftover> choose_leftovers(const ExpiryFacts& facts, const ExpiryRules& rules, const ExpiryPlan& plan, const std::vector<Leftover>& stored) {
    const Lineage lineage(facts);
    std::vector<BackupState> backups = examine_backups(facts, lineage);
    apply_backup_rules(backups, lineage, rules);
    const Places places(facts, backups, lineage, rules.policy, stored);
    const Kept kept = find_kept(backups, plan, places);
    const bool hold = is_on_hold(facts, plan, rules.policy);

    const auto goes = [&](const Leftover& leftover) {
        if (leftover.kind == LeftoverKind::kPin)
            return std::ranges::none_of(backups, [&](const BackupState& b) { return b.summary().label == leftover.label; }) &&
                   std::ranges::find(facts.unreadable, leftover.label) == facts.unreadable.end();
        if (hold) return false;
        if (leftover.kind == LeftoverKind::kGap) return leftover.last < kept.first_segment;
        if (leftover.kind == LeftoverKind::kTimelineHistory) return !needs_history(kept, lineage, leftover.timeline);
        return !places.keeps(leftover.timeline, leftover.first);
    };
    std::vector<Leftover> chosen;
    std::ranges::copy_if(stored, std::back_inserter(chosen), goes);
    std::ranges::sort(chosen, {}, [](const Leftover& leftover) { return std::tuple(leftover.kind, leftover.timeline, leftover.first, std::string_view(leftover.key)); });
    return chosen;
}

}  // namespace steward
