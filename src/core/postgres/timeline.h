// Timeline histories: which timeline holds which part of the WAL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/wal_name.h"

namespace steward {

/// One line of a history file: WAL of `timeline` is valid up to `switch_lsn`, where its child forked off.
struct TimelineHistoryEntry {
    TimelineId timeline = 0;
    Lsn switch_lsn;
    std::string reason;  ///< for people: "no recovery target specified"
};

/// The ancestry of one timeline, from the oldest known to itself.
class TimelineHistory {
public:
    /// A timeline without known ancestors: timeline 1, or one whose history file does not exist.
    explicit TimelineHistory(TimelineId timeline) : timeline_(timeline) {}
    /// `ancestors` are sorted by timeline, all less than `timeline`; parse_timeline_history makes sure of it.
    TimelineHistory(TimelineId timeline, std::vector<TimelineHistoryEntry> ancestors)
        : timeline_(timeline), ancestors_(std::move(ancestors)) {}

    TimelineId timeline() const { return timeline_; }
    const std::vector<TimelineHistoryEntry>& ancestors() const { return ancestors_; }

    /// Whether `timeline` is this one or an ancestor.
    bool includes(TimelineId timeline) const;

    /// Return the timeline that holds the WAL at `lsn` (tliOfPointInHistory in timeline.c). O(ancestors).
    TimelineId timeline_at(Lsn lsn) const;

    /// Return where the WAL of `timeline` stops being part of this history: a switch point, or nothing for the newest
    /// timeline, whose end is open. Errors: invalid_argument when `timeline` is not in this history.
    Result<std::optional<Lsn>> end_of(TimelineId timeline) const;

    /// Whether replay along this history passes through position `lsn` of `timeline`: a backup that ended there can be
    /// recovered along it. A switch point belongs to both of its timelines.
    bool contains(TimelineId timeline, Lsn lsn) const;

    /// Return the segments that recovery from `from` up to and not including `to` reads, oldest first.
    ///
    /// The segment that holds a switch point is named on the younger timeline: that copy begins with the older one's
    /// records, and recovery prefers it (XLogFileReadAnyTLI in xlogrecovery.c). Errors: invalid_argument when `from` is not
    /// on this history (on `from_timeline`), when `to` is before `from`, or when the range is longer than 2^24 segments,
    /// which only damaged data asks for.
    Result<std::vector<WalSegmentName>> segments_between(TimelineId from_timeline, Lsn from, Lsn to, uint32_t segment_size) const;

private:
    TimelineId timeline_;
    std::vector<TimelineHistoryEntry> ancestors_;
};

/// "00000002.history".
std::string timeline_history_name(TimelineId timeline);

/// Parse the content of `timeline`'s history file as readTimeLineHistory does (src/backend/access/transam/timeline.c):
/// blank lines and "#" comments are skipped, each line is number, position and a free reason. Errors: corrupt_object with
/// the line's number for bad syntax, for timelines that do not increase and for those not less than `timeline`.
Result<TimelineHistory> parse_timeline_history(TimelineId timeline, std::string_view text);

}  // namespace steward
