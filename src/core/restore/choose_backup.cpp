#include "core/restore/choose_backup.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/format.h"

namespace steward {

namespace {

bool is_known(const RestoreFacts& facts, TimelineId timeline) {
    const auto has_wal = facts.wal.timelines();
    return facts.histories.contains(timeline) || std::ranges::find(has_wal, timeline) != has_wal.end() ||
           std::ranges::any_of(facts.backups, [&](const BackupFact& b) { return b.summary.timeline == timeline; });
}

TimelineId newest_timeline(const RestoreFacts& facts) {
    TimelineId newest = 1;
    for (const TimelineId timeline : facts.wal.timelines()) newest = std::max(newest, timeline);
    for (const auto& [timeline, history] : facts.histories) newest = std::max(newest, timeline);
    for (const BackupFact& backup : facts.backups) newest = std::max(newest, backup.summary.stop_timeline);
    return newest;
}

std::string list_labels(const RestoreFacts& facts) {
    std::vector<std::string> labels;
    for (const BackupFact& backup : facts.backups) labels.push_back(backup.summary.label);
    return formatted("{}", fmt::join(labels, ", "));
}

Result<TimelineHistory> choose_history(const RestoreFacts& facts, const RestoreChoice& choice, const BackupSummary& reference) {
    const TimelineChoice& timeline = choice.target.timeline;
    switch (timeline.kind) {
        case TimelineChoice::Kind::kCurrent: return history_of(facts, reference.stop_timeline);
        case TimelineChoice::Kind::kLatest: return history_of(facts, newest_timeline(facts));
        case TimelineChoice::Kind::kNumber: break;
    }
    if (!is_known(facts, timeline.number))
        return Error(ErrorCode::unreachable_target, formatted("the repository holds nothing of timeline {}", timeline.number))
            .detail(formatted("The newest timeline it holds is {}.", newest_timeline(facts)))
            .hint("Use \"--target-timeline latest\", or the number of a timeline that \"pg_steward info\" shows.");
    return history_of(facts, timeline.number);
}

/// Whether the backup ends before the target, as far as can be told without reading WAL.
bool precedes(const BackupSummary& backup, const RecoveryTarget& target) {
    switch (target.kind) {
        case TargetKind::kLsn: return backup.stop_lsn <= target.lsn;
        case TargetKind::kTime: return backup.stopped <= target.time;
        default: return true;
    }
}

std::string earliest_reachable(const BackupSummary& oldest, const RecoveryTarget& target) {
    if (target.kind == TargetKind::kTime) return formatted("The earliest time reachable is {}, with backup \"{}\".", format_time(oldest.stopped), oldest.label);
    return formatted("The earliest LSN reachable is {}, with backup \"{}\".", oldest.stop_lsn, oldest.label);
}

/// The first segment missing between the backup's start and stop, if any.
std::optional<WalSegmentName> missing_for_consistency(const RestoreFacts& facts, const Candidate& candidate) {
    const BackupSummary& backup = candidate.backup.summary;
    // A backup waits for whole segments: where one is a tail only, something was lost.
    if (candidate.reach.whole_end >= backup.stop_lsn) return std::nullopt;
    return facts.wal.on_history(candidate.history, segment_of(candidate.reach.whole_end, facts.wal.segment_size()));
}

Error off_history(const RestoreFacts& facts, const TimelineHistory& history) {
    const BackupSummary& newest = facts.backups.back().summary;
    return Error(ErrorCode::unreachable_target, formatted("no backup leads to timeline {}", history.timeline()))
        .detail(formatted("Every backup was taken on another timeline, or after timeline {} had forked off.", history.timeline()))
        .hint(formatted("Use \"--target-timeline {}\" to recover the newest backup, \"{}\", along its own timeline.", newest.stop_timeline, newest.label));
}

Error label_off_history(const BackupSummary& backup, const TimelineHistory& history) {
    return Error(ErrorCode::unreachable_target, formatted("backup \"{}\" does not lead to timeline {}", backup.label, history.timeline()))
        .detail(formatted("It ends at {} of timeline {}, which is not in the history of timeline {}.", backup.stop_lsn, backup.stop_timeline,
                          history.timeline()))
        .hint("Use \"--target-timeline current\" to recover it along its own timeline, or choose another backup.")
        .object(backup.label);
}

/// Where restore points of the name wanted are recorded between the end of the backup and the end of what is reached.
std::vector<RecordedRestorePoint> recorded_points(const RestoreFacts& facts, const Candidate& candidate, const RecoveryTarget& target) {
    std::vector<RecordedRestorePoint> points;
    if (target.kind != TargetKind::kName) return points;
    for (const RecordedRestorePoint& point : facts.restore_points)
        if (point.name == target.name && point.lsn > candidate.backup.summary.stop_lsn && point.lsn <= candidate.reach.end &&
            candidate.history.contains(point.timeline, point.lsn))
            points.push_back(point);
    std::ranges::sort(points, {}, &RecordedRestorePoint::lsn);
    return points;
}

Candidate make_candidate(const RestoreFacts& facts, const RecoveryTarget& target, const BackupFact& backup, const TimelineHistory& history) {
    Candidate candidate{.backup = backup, .history = history, .reach = reach_from(facts.wal, history, backup.summary.start_lsn)};
    if (candidate.reach.missing) candidate.hole = hole_at(facts, history, candidate.reach.missing->segment_number);
    candidate.recorded_points = recorded_points(facts, candidate, target);
    return candidate;
}

std::string at_time(const std::optional<TimePoint>& time) { return time ? formatted(" at {}", format_time(*time)) : std::string(); }

}  // namespace

Error hole_error(const Candidate& candidate, uint32_t segment_size, std::optional<Lsn> reachable) {
    const WalHole& hole = *candidate.hole;
    std::string detail = formatted("Recovery from backup \"{}\" would end at the gap and lose everything after it. The nearest reachable points are {} before it",
                                   candidate.backup.summary.label, reachable.value_or(candidate.reach.end));
    detail += hole.after ? formatted(" and {} after it, where backup \"{}\" ends{}.", hole.after->lsn, hole.after->backup, at_time(hole.after->time))
                         : std::string("; no backup leads to what is after it.");
    if (!hole.note.empty()) detail += formatted(" The gap's note says: {}", hole.note);
    Error error = Error(ErrorCode::missing_wal, describe(hole, segment_size) + ", and there is WAL after it")
                      .detail(std::move(detail))
                      .object(to_string(*candidate.reach.missing, segment_size));
    const std::string after = hole.after ? formatted("Restore what is after the gap with \"--backup {}\"", hole.after->backup) : "Choose a newer backup";
    if (!reachable) return std::move(error).hint(after + ", or choose a recovery target before the gap.");
    return std::move(error).hint(formatted("{}, or recover up to the gap with \"--target-lsn {}\".", after, *reachable));
}

Result<std::vector<Candidate>> list_candidates(const RestoreFacts& facts, const RestoreChoice& choice) {
    for (const DamagedBackup& damaged : facts.damaged)
        if (choice.label == damaged.label || facts.backups.empty()) return damaged.error;
    if (facts.backups.empty())
        return Error(ErrorCode::not_found, "the repository holds no backup of this cluster").hint("Take one with \"SELECT steward.backup()\".");
    const auto named = choice.label ? std::ranges::find(facts.backups, *choice.label, [](const BackupFact& b) { return b.summary.label; })
                                    : std::prev(facts.backups.end());
    if (named == facts.backups.end())
        return Error(ErrorCode::not_found, formatted("there is no backup \"{}\"", *choice.label))
            .detail(formatted("The backups are: {}.", list_labels(facts)))
            .hint("Choose one of them with --backup, or leave the choice to the target.")
            .object(*choice.label);
    TRY_ASSIGN(const TimelineHistory history, choose_history(facts, choice, named->summary));
    if (choice.label && !is_on_history(named->summary, history)) return label_off_history(named->summary, history);

    std::vector<Candidate> on_history;
    for (const BackupFact& backup : facts.backups)
        if ((!choice.label || backup.summary.label == *choice.label) && is_on_history(backup.summary, history))
            on_history.insert(on_history.begin(), make_candidate(facts, choice.target, backup, history));
    if (on_history.empty()) return off_history(facts, history);

    std::vector<Candidate> candidates;
    std::optional<Error> incomplete;
    for (Candidate& candidate : on_history) {
        if (!precedes(candidate.backup.summary, choice.target)) continue;
        const auto missing = missing_for_consistency(facts, candidate);
        if (!missing) {
            candidates.push_back(std::move(candidate));
            continue;
        }
        if (incomplete) continue;
        const std::string name = to_string(*missing, facts.wal.segment_size());
        incomplete = Error(ErrorCode::missing_wal, formatted("WAL segment \"{}\", which backup \"{}\" needs to become consistent, is missing", name,
                                                             candidate.backup.summary.label))
                         .hint("Choose another backup; this one cannot be restored.")
                         .object(name);
        if (const WalHole hole = hole_at(facts, candidate.history, missing->segment_number); hole.reason != GapReason::kMissing)
            incomplete = std::move(*incomplete).detail(describe(hole, facts.wal.segment_size()) + ".");
    }
    if (candidates.empty() && incomplete) return std::move(*incomplete);
    if (candidates.empty())
        return Error(ErrorCode::unreachable_target, formatted("no backup was finished before the recovery target, {}", describe(choice.target)))
            .detail(earliest_reachable(on_history.back().backup.summary, choice.target))
            .hint("Choose a later target; what was before the oldest backup is not in this repository.");
    return candidates;
}

std::string timeline_setting(const RestoreFacts& facts, const Candidate& candidate, const RecoveryTarget& target) {
    const TimelineId own = candidate.backup.summary.stop_timeline;
    if (target.kind == TargetKind::kLatest && target.timeline.kind == TimelineChoice::Kind::kLatest) {
        // findNewestTimeLine (timeline.c) tries one number after the other and ends with the first that has no history file.
        TimelineId found = own;
        while (facts.histories.contains(found + 1)) ++found;
        if (found == candidate.history.timeline()) return "latest";
    }
    // A timeline's own number needs its history file, which "current" does not.
    return candidate.history.timeline() == own ? "current" : std::to_string(candidate.history.timeline());
}

}  // namespace steward
