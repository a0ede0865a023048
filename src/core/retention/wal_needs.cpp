#include "core/retention/wal_needs.h"

#include <algorithm>
#include <limits>
#include <set>
#include <tuple>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr uint64_t kNoEnd = std::numeric_limits<uint64_t>::max();

/// Where recovery begins, and who asks for it.
struct Origin {
    TimelineId timeline;
    Lsn start_lsn;
    WalRule rule;
    size_t rank;
    std::string_view label;
};

class Gatherer {
public:
    Gatherer(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const Lineage& lineage)
        : facts_(facts), backups_(backups), lineage_(lineage) {}

    WalNeeds gather() {
        for (const TimelineId timeline : lineage_.timelines()) {
            const TimelineHistory history = lineage_.history(timeline);
            add_recovery(history);
            add_running(history);
            add_consistency(history);
        }
        for (size_t i = 0; i < backups_.size(); i++) add_off_history(i);
        // Whatever the histories say.
        for (size_t i = 0; i < facts_.running.size(); i++) add_onwards(TimelineHistory(facts_.running[i].timeline), origin_of_running(i));
        add_unknown_histories();
        return std::move(needs_);
    }

private:
    /// From the oldest backup on: on one history, it needs all that the younger ones need.
    void add_recovery(const TimelineHistory& history) {
        const auto add_oldest = [&](WalRule rule, auto wants) {
            for (size_t i = 0; i < backups_.size(); i++) {
                if (!wants(backups_[i]) || !leads_to(backups_[i].summary(), history)) continue;
                return add_onwards(history, origin_of(i, rule));
            }
        };
        add_oldest(WalRule::kRecovery, [](const BackupState& b) { return b.promises_recovery(); });
        add_oldest(WalRule::kWindow, [](const BackupState& b) {
            return std::ranges::find(b.reasons, BackupRule::kWindow, &BackupReason::rule) != b.reasons.end();
        });
    }

    void add_running(const TimelineHistory& history) {
        for (size_t i = 0; i < facts_.running.size(); i++)
            if (history.contains(facts_.running[i].timeline, facts_.running[i].start_lsn)) add_onwards(history, origin_of_running(i));
    }

    /// From start to stop. Along a younger timeline than the backup's own, its last segment may be another copy.
    void add_consistency(const TimelineHistory& history) {
        for (size_t i = 0; i < backups_.size(); i++) {
            const BackupSummary& backup = backups_[i].summary();
            if (!backups_[i].kept() || !leads_to(backup, history)) continue;
            const auto segments = history.segments_between(backup.timeline, backup.start_lsn, backup.stop_lsn, facts_.wal_segment_size);
            if (!segments.ok()) continue;
            for (size_t begin = 0, end = 0; begin < segments->size(); begin = end) {
                const WalSegmentName first = (*segments)[begin];
                while (end < segments->size() && (*segments)[end].timeline == first.timeline) end++;
                add(first.timeline, {first.segment_number, (*segments)[end - 1].segment_number, WalRule::kBackup, i, backup.label});
            }
        }
    }

    /// A kept backup that contradicts the histories may be right, and they wrong.
    void add_off_history(size_t i) {
        const BackupSummary& backup = backups_[i].summary();
        if (!backups_[i].kept() || leads_to(backup, lineage_.history(backup.stop_timeline))) return;
        const uint64_t first = segment_of(std::min(backup.start_lsn, backup.stop_lsn), facts_.wal_segment_size);
        const uint64_t last = segment_of(std::max(backup.start_lsn, backup.stop_lsn), facts_.wal_segment_size);
        for (const TimelineId timeline : std::set{backup.timeline, backup.stop_timeline})
            add(timeline, {first, last, WalRule::kBackup, i, backup.label});
    }

    /// A timeline whose history file is missing may continue any backup of an older one.
    void add_unknown_histories() {
        std::set<TimelineId> unknown;
        for (const StoredWal& wal : facts_.wal)
            if (lineage_.is_unknown(wal.timeline)) unknown.insert(wal.timeline);
        for (const TimelineId timeline : unknown) {
            for (size_t i = 0; i < backups_.size(); i++)
                if (backups_[i].promises_recovery()) add_unknown(timeline, origin_of(i, WalRule::kUnknownHistory));
            for (size_t i = 0; i < facts_.running.size(); i++) add_unknown(timeline, origin_of_running(i));
        }
    }

    void add_unknown(TimelineId timeline, const Origin& origin) {
        if (origin.timeline >= timeline) return;
        const uint64_t first = segment_of(origin.start_lsn, facts_.wal_segment_size);
        add(timeline, {first, kNoEnd, WalRule::kUnknownHistory, origin.rank, std::string(origin.label)});
    }

    /// All of `history` from `origin` on, with the ends of its ancestors: recovery falls back to their copy of a segment that holds a
    /// switch point when the younger one is not there.
    void add_onwards(const TimelineHistory& history, const Origin& origin) {
        const uint64_t first = segment_of(origin.start_lsn, facts_.wal_segment_size);
        add(history.timeline(), {first, kNoEnd, origin.rule, origin.rank, std::string(origin.label)});
        for (const TimelineHistoryEntry& ancestor : history.ancestors()) {
            if (ancestor.timeline < origin.timeline) continue;
            const uint64_t last = segment_before(ancestor.switch_lsn, facts_.wal_segment_size);
            if (last >= first) add(ancestor.timeline, {first, last, origin.rule, origin.rank, std::string(origin.label)});
        }
    }

    Origin origin_of(size_t i, WalRule rule) const {
        const BackupSummary& backup = backups_[i].summary();
        return {backup.timeline, backup.start_lsn, rule, i, backup.label};
    }

    Origin origin_of_running(size_t i) const {
        const RunningBackup& backup = facts_.running[i];
        return {backup.timeline, backup.start_lsn, WalRule::kRunningBackup, i, backup.label};
    }

    void add(TimelineId timeline, WalNeed need) { needs_[timeline].push_back(std::move(need)); }

    const ExpiryFacts& facts_;
    const std::vector<BackupState>& backups_;
    const Lineage& lineage_;
    WalNeeds needs_;
};

WalReason reason_of(const WalNeed& need, const std::string& window) {
    switch (need.rule) {
        case WalRule::kRecovery: return {need.rule, need.label, formatted("recovery from backup \"{}\" onwards", need.label)};
        case WalRule::kWindow: return {need.rule, {}, formatted("window {}", window)};
        case WalRule::kRunningBackup: return {need.rule, need.label, formatted("needed by backup \"{}\", which is running", need.label)};
        case WalRule::kUnknownHistory:
            return {need.rule, need.label, formatted("its timeline has no history file and may continue backup \"{}\"", need.label)};
        default: return {need.rule, need.label, formatted("between start and stop of backup \"{}\"", need.label)};
    }
}

/// Orders needs as their reasons are given.
struct ByRuleAndRank {
    bool operator()(const WalNeed* a, const WalNeed* b) const {
        return std::tuple(a->rule, a->rank, a) < std::tuple(b->rule, b->rank, b);
    }
};
using ActiveNeeds = std::set<const WalNeed*, ByRuleAndRank>;

std::vector<WalReason> reasons_of(const ActiveNeeds& active, const std::string& window) {
    std::vector<WalReason> reasons;
    const bool recovery = !active.empty() && (*active.begin())->rule == WalRule::kRecovery;
    for (const WalNeed* need : active) {
        if (need->rule == WalRule::kBackup && recovery) break;
        const bool every_backup = need->rule == WalRule::kBackup || need->rule == WalRule::kRunningBackup;
        const bool named = !reasons.empty() && reasons.back().rule == need->rule && (!every_backup || reasons.back().label == need->label);
        if (!named) reasons.push_back(reason_of(*need, window));
    }
    return reasons;
}

}  // namespace

WalNeeds gather_wal_needs(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const Lineage& lineage) {
    return Gatherer(facts, backups, lineage).gather();
}

std::vector<WalReasonsFrom> lay_out(std::span<const WalNeed> needs, const std::string& window) {
    struct Change {
        uint64_t at;
        bool begins;
        const WalNeed* need;
    };
    std::vector<Change> changes;
    for (const WalNeed& need : needs) {
        changes.push_back({need.first, true, &need});
        if (need.last != kNoEnd) changes.push_back({need.last + 1, false, &need});
    }
    std::ranges::sort(changes, {}, &Change::at);

    std::vector<WalReasonsFrom> layout = {{0, {}}};
    ActiveNeeds active;
    for (size_t i = 0; i < changes.size();) {
        const uint64_t at = changes[i].at;
        for (; i < changes.size() && changes[i].at == at; i++) {
            if (changes[i].begins)
                active.insert(changes[i].need);
            else
                active.erase(changes[i].need);
        }
        std::vector<WalReason> reasons = reasons_of(active, window);
        if (reasons == layout.back().reasons) continue;
        if (layout.back().first == at)
            layout.back().reasons = std::move(reasons);
        else
            layout.push_back({at, std::move(reasons)});
    }
    return layout;
}

}  // namespace steward
