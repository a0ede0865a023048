#include "program/engine/recovery_window_message.h"

#include <algorithm>

#include "core/restore/recovery_window.h"

namespace steward {

namespace {

int64_t to_us(const std::optional<TimePoint>& time) { return time ? time->time_since_epoch().count() : 0; }

WindowInterval row(const ReachableInterval& interval) {
    return {.timeline = interval.timeline,
            .begin_lsn = interval.begin.value,
            .end_lsn = interval.end.value,
            .begin_us = to_us(interval.begin_time),
            .known_until_us = to_us(interval.known_until),
            .backup = interval.backup};
}

WindowGap row(const WalHole& hole) {
    WindowGap gap;
    gap.timeline = hole.timeline;
    gap.begin_lsn = hole.begin.value;
    gap.end_lsn = hole.end.value;
    gap.reason = name_of(hole.reason);
    gap.recorded_us = to_us(hole.recorded);
    gap.note = hole.note;
    if (hole.before) {
        gap.before_lsn = hole.before->lsn.value;
        gap.before_us = to_us(hole.before->time);
    }
    if (hole.after) {
        gap.after_lsn = hole.after->lsn.value;
        gap.after_us = to_us(hole.after->time);
        gap.after_backup = hole.after->backup;
    }
    return gap;
}

/// The last kMaxWindowRows of `from`, in reverse.
template <typename From, typename MakeRow>
auto newest_rows(const std::vector<From>& from, MakeRow make_row) {
    std::vector<decltype(make_row(from.front()))> rows;
    for (auto each = from.rbegin(); each != from.rend() && rows.size() < kMaxWindowRows; ++each) rows.push_back(make_row(*each));
    return rows;
}

}  // namespace

RecoveryWindowMessage recovery_window_message(const RestoreFacts& facts, bool has_predecessor) {
    const RecoveryWindow window = recovery_window(facts);
    std::vector<RecordedRestorePoint> points = facts.restore_points;
    std::ranges::sort(points, {}, [](const RecordedRestorePoint& p) { return std::pair(p.timeline, p.lsn); });
    RecoveryWindowMessage message;
    message.intervals = newest_rows(window.intervals, [](const ReachableInterval& interval) { return row(interval); });
    message.interval_count = window.intervals.size();
    message.gaps = newest_rows(window.holes, [](const WalHole& hole) { return row(hole); });
    message.gap_count = window.holes.size();
    message.restore_points = newest_rows(points, [&](const RecordedRestorePoint& point) {
        return WindowRestorePoint{point.name, point.note, point.timeline, point.lsn.value, to_us(point.time),
                                  interval_at(window, point.timeline, point.lsn) != nullptr};
    });
    message.restore_point_count = points.size();
    if (const std::optional<WalHole> hole = hole_that_wants_a_backup(window, facts)) {
        message.owed_timeline = hole->timeline;
        message.owed_lsn = hole->end.value;
    }
    message.first_backup_owed = has_predecessor && facts.backups.empty();
    return message;
}

}  // namespace steward
