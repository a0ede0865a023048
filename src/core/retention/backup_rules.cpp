#include "core/retention/backup_rules.h"

#include <algorithm>
#include <map>
#include <optional>

#include "core/base/format.h"

namespace steward {

namespace {

using Backups = std::vector<BackupState>;

void keep(BackupState& backup, BackupRule rule, std::string text) { backup.reasons.push_back({rule, std::move(text)}); }

template <typename Predicate>
BackupState* find_newest(Backups& backups, Predicate predicate) {
    const auto found = std::find_if(backups.rbegin(), backups.rend(), predicate);
    return found == backups.rend() ? nullptr : &*found;
}

void keep_all(Backups& backups) {
    for (BackupState& backup : backups) keep(backup, BackupRule::kNothingExpires, "no retention policy");
}

/// What stays whatever the policy says. The reasons that come to the same backup as the first one are not repeated.
void keep_newest(Backups& backups, const Lineage& lineage) {
    BackupState* const newest = find_newest(backups, [](const BackupState& b) { return b.complete(); });
    if (newest) {
        const bool only = std::ranges::count_if(backups, &BackupState::complete) == 1;
        keep(*newest, BackupRule::kNewestComplete, only ? "the only complete backup" : "the newest complete backup");
    }
    BackupState* const clean = find_newest(backups, [](const BackupState& b) { return b.clean(); });
    if (clean && clean != newest) keep(*clean, BackupRule::kNewestClean, "the newest complete backup without checksum failures");
    if (lineage.timelines().empty()) return;
    const TimelineHistory history = lineage.history(*lineage.timelines().rbegin());
    BackupState* const leading = find_newest(backups, [&](const BackupState& b) { return b.complete() && leads_to(b.summary(), history); });
    if (leading && leading != newest)
        keep(*leading, BackupRule::kNewestTimeline, formatted("the newest complete backup that leads to timeline {}", history.timeline()));
}

void keep_newer_than_complete(Backups& backups) {
    for (auto backup = backups.rbegin(); backup != backups.rend() && !backup->complete(); ++backup)
        keep(*backup, BackupRule::kNoneNewerComplete, "no newer backup is complete");
}

void keep_count(Backups& backups, unsigned count) {
    unsigned places = 0;
    for (auto backup = backups.rbegin(); backup != backups.rend() && places < count; ++backup) {
        keep(*backup, BackupRule::kCount, formatted("newest {}{}", count, backup->complete() ? "" : ", taking no place"));
        if (backup->complete()) places++;
    }
}

/// The backups that the window needs, with the texts that say so.
class Window {
public:
    Window(const Backups& backups, const Lineage& lineage, const ExpiryRules& rules)
        : backups_(backups),
          lineage_(lineage),
          length_(*rules.policy.window),
          begin_(rules.now - length_),
          begin_text_(minute_text(rules.to_local(begin_))) {}

    std::map<size_t, std::string> find_needed() {
        for (size_t i = 0; i < backups_.size(); i++)
            if (!stopped_before(i)) add_within(i);
        const TimelineId in_use = timeline_in_use_at_begin();
        for (const TimelineId timeline : lineage_.timelines())
            if (timeline >= in_use || has_backup_within(timeline)) add_timeline(lineage_.history(timeline));
        return std::move(needed_);
    }

private:
    bool stopped_before(size_t i) const { return backups_[i].summary().stopped <= begin_; }

    /// The newest timeline of which a complete backup shows that it was there at the window's begin; older ones were over by then.
    TimelineId timeline_in_use_at_begin() const {
        TimelineId newest = 0;
        for (size_t i = 0; i < backups_.size(); i++)
            if (backups_[i].complete() && stopped_before(i)) newest = std::max(newest, backups_[i].summary().stop_timeline);
        return newest;
    }

    bool has_backup_within(TimelineId timeline) const {
        for (size_t i = 0; i < backups_.size(); i++)
            if (backups_[i].summary().stop_timeline == timeline && !stopped_before(i)) return true;
        return false;
    }

    void add_timeline(const TimelineHistory& history) {
        for (size_t i = backups_.size(); i-- > 0;) {
            if (!leads_to(backups_[i].summary(), history)) continue;
            if (backups_[i].complete() && stopped_before(i)) {
                needed_[i] = formatted("needed to reach {} (window {})", begin_text_, window_text(length_));
                return;
            }
            add_within(i);
        }
    }

    void add_within(size_t i) {
        needed_.try_emplace(i, formatted("in the window {}, which begins at {}", window_text(length_), begin_text_));
    }

    const Backups& backups_;
    const Lineage& lineage_;
    std::chrono::hours length_;
    TimePoint begin_;
    std::string begin_text_;
    std::map<size_t, std::string> needed_;  ///< by index into the backups
};

void keep_window(Backups& backups, const Lineage& lineage, const ExpiryRules& rules) {
    for (auto& [i, text] : Window(backups, lineage, rules).find_needed()) keep(backups[i], BackupRule::kWindow, std::move(text));
}

struct CalendarRule {
    BackupRule rule;
    PeriodKind period;
    std::string_view name;
    unsigned RetentionPolicy::*places;
};
constexpr CalendarRule kCalendarRules[] = {
    {BackupRule::kDaily, PeriodKind::kDay, "daily", &RetentionPolicy::daily},
    {BackupRule::kWeekly, PeriodKind::kWeek, "weekly", &RetentionPolicy::weekly},
    {BackupRule::kMonthly, PeriodKind::kMonth, "monthly", &RetentionPolicy::monthly},
    {BackupRule::kYearly, PeriodKind::kYear, "yearly", &RetentionPolicy::yearly},
};

void keep_calendar(Backups& backups, const CalendarRule& calendar, const ExpiryRules& rules) {
    std::map<std::chrono::local_days, BackupState*> newest;
    for (BackupState& backup : backups)
        if (backup.complete()) newest[period_begin(calendar.period, rules.to_local(backup.summary().stopped))] = &backup;
    unsigned places = 0;
    for (auto period = newest.rbegin(); period != newest.rend() && places < rules.policy.*calendar.places; ++period, ++places)
        keep(*period->second, calendar.rule, formatted("{} {}", calendar.name, period_name(calendar.period, period->first)));
}

void keep_pinned(Backups& backups) {
    for (BackupState& backup : backups)
        if (backup.record->pinned) keep(backup, BackupRule::kPinned, "pinned");
}

}  // namespace

void apply_backup_rules(std::vector<BackupState>& backups, const Lineage& lineage, const ExpiryRules& rules) {
    if (rules.policy.empty()) keep_all(backups);
    keep_newest(backups, lineage);
    keep_newer_than_complete(backups);
    if (rules.policy.count) keep_count(backups, *rules.policy.count);
    if (rules.policy.window) keep_window(backups, lineage, rules);
    for (const CalendarRule& calendar : kCalendarRules) keep_calendar(backups, calendar, rules);
    keep_pinned(backups);
}

std::vector<BackupVerdict> give_backup_verdicts(const std::vector<BackupState>& backups, const RetentionPolicy& policy) {
    std::vector<BackupVerdict> verdicts;
    for (const BackupState& backup : backups) {
        verdicts.push_back({backup.summary().label, Verdict::kKeep, backup.reasons, backup.incomplete});
        if (backup.kept()) continue;
        verdicts.back().verdict = Verdict::kRemove;
        verdicts.back().reasons.push_back({BackupRule::kExpired, formatted("no rule of \"{}\" keeps it", to_string(policy))});
    }
    return verdicts;
}

}  // namespace steward
