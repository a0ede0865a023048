#include "core/postgres/timeline.h"

#include <algorithm>
#include <charconv>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::string_view kBlanks = " \t\r\f\v";

/// Cut the first word off `line`, with the blanks around it.
std::string_view take_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    const std::string_view word = line.substr(0, line.find_first_of(kBlanks));
    line.remove_prefix(word.size());
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    return word;
}

Error bad_line(TimelineId timeline, int number, std::string detail) {
    const std::string name = timeline_history_name(timeline);
    return Error(ErrorCode::corrupt_object, formatted("invalid data in history file \"{}\", line {}", name, number))
        .object(name)
        .detail(std::move(detail));
}

}  // namespace

bool TimelineHistory::includes(TimelineId timeline) const {
    return timeline == timeline_ ||
           std::any_of(ancestors_.begin(), ancestors_.end(), [&](const auto& entry) { return entry.timeline == timeline; });
}

TimelineId TimelineHistory::timeline_at(Lsn lsn) const {
    // The youngest first, as core does: a cluster recovered to a point before its parent's own beginning leaves a history
    // whose switch points go backwards, and then only the youngest match is right.
    TimelineId younger = timeline_;
    for (auto entry = ancestors_.rbegin(); entry != ancestors_.rend(); ++entry) {
        if (lsn >= entry->switch_lsn) return younger;
        younger = entry->timeline;
    }
    return younger;
}

Result<std::optional<Lsn>> TimelineHistory::end_of(TimelineId timeline) const {
    if (!includes(timeline))
        return Error(ErrorCode::invalid_argument,
                     formatted("timeline {} is not in the history of timeline {}", timeline, timeline_));
    // An ancestor ends where its child begins or, with switch points that go backwards, where a later one cuts it off.
    std::optional<Lsn> end;
    for (const auto& entry : ancestors_)
        if (entry.timeline >= timeline) end = end ? std::min(*end, entry.switch_lsn) : entry.switch_lsn;
    return end;
}

bool TimelineHistory::contains(TimelineId timeline, Lsn lsn) const {
    const auto end = end_of(timeline);
    if (!end.ok() || (*end && lsn > **end)) return false;
    // Before its own beginning a timeline has no WAL: that part belongs to its ancestors. It begins where its parent ends, also when
    // that is before the parent's own beginning.
    std::optional<Lsn> begin;
    for (const auto& entry : ancestors_)
        if (entry.timeline < timeline) begin = entry.switch_lsn;
    return !begin || lsn >= *begin;
}

Result<std::vector<WalSegmentName>> TimelineHistory::segments_between(TimelineId from_timeline, Lsn from, Lsn to,
                                                                      uint32_t segment_size) const {
    constexpr uint64_t kMostSegments = uint64_t{1} << 24;
    if (!is_valid_wal_segment_size(segment_size))
        return Error(ErrorCode::invalid_argument, formatted("invalid WAL segment size {}", segment_size));
    if (!contains(from_timeline, from))
        return Error(ErrorCode::invalid_argument, formatted("position {} of timeline {} is not in the history of timeline {}",
                                                            from, from_timeline, timeline_));
    if (to < from) return Error(ErrorCode::invalid_argument, formatted("WAL range ends at {}, before its start {}", to, from));
    std::vector<WalSegmentName> segments;
    if (to == from) return segments;
    const uint64_t first = segment_of(from, segment_size);
    const uint64_t last = segment_before(to, segment_size);
    if (last - first >= kMostSegments)
        return Error(ErrorCode::invalid_argument, formatted("WAL range from {} to {} is too long", from, to));
    segments.reserve(last - first + 1);
    for (uint64_t number = first; number <= last; number++) {
        const Lsn last_byte = start_lsn(number, segment_size) + (segment_size - 1);
        segments.push_back({timeline_at(last_byte), number});
    }
    return segments;
}

std::string timeline_history_name(TimelineId timeline) { return formatted("{:08X}.history", timeline); }

Result<TimelineHistory> parse_timeline_history(TimelineId timeline, std::string_view text) {
    std::vector<TimelineHistoryEntry> ancestors;
    for (int number = 1; !text.empty(); number++) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        const std::string_view id_text = take_word(line);
        if (id_text.empty() || id_text.front() == '#') continue;

        TimelineId id = 0;
        const auto [end, error] = std::from_chars(id_text.data(), id_text.data() + id_text.size(), id);
        if (error != std::errc() || end != id_text.data() + id_text.size() || id == 0)
            return bad_line(timeline, number, "A timeline number is expected first.");
        const auto switch_lsn = parse_lsn(take_word(line));
        if (!switch_lsn.ok()) return bad_line(timeline, number, "A WAL position is expected after the timeline number.");
        if (!ancestors.empty() && id <= ancestors.back().timeline)
            return bad_line(timeline, number, "Timelines must be in increasing sequence.");
        if (id >= timeline)
            return bad_line(timeline, number, formatted("Timelines must be less than {}, their child.", timeline));
        line = line.substr(0, line.find_last_not_of(kBlanks) + 1);
        ancestors.push_back({id, *switch_lsn, std::string(line)});
    }
    return TimelineHistory(timeline, std::move(ancestors));
}

}  // namespace steward
