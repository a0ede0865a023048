#include "program/report/render_info.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/restore/recovery_window.h"

namespace steward {

namespace {

std::string seconds_of(TimePoint time) { return format_time(time).substr(0, 19) + "Z"; }

bool is_kept(const ClusterInfo& cluster, const BackupSummary& backup) { return std::ranges::binary_search(cluster.kept, backup.label); }

std::string remarks(const BackupSummary& backup, bool kept) {
    std::string text;
    if (!backup.base.empty()) text += formatted("      went on from backup {}\n", backup.base);
    if (kept) text += "      kept, whatever the retention policy says\n";
    if (backup.from_standby) text += "      taken from a standby\n";
    if (backup.checksum_failures != 0) text += formatted("      {} pages had wrong checksums when it was taken\n", backup.checksum_failures);
    if (backup.stop_timeline != backup.timeline) text += formatted("      ends on timeline {}\n", backup.stop_timeline);
    return text;
}

std::string render_backups(const ClusterInfo& cluster) {
    const std::vector<BackupSummary>& backups = cluster.content.backups;
    if (backups.empty()) return "    no backups\n";
    std::string text = formatted("    {:<26} {:>8} {:<12} {:<12} {:<20} {:>8} {:>8}\n", "backup", "timeline", "start", "stop", "finished", "size", "added");
    for (const BackupSummary& backup : backups) {
        text += formatted("    {:<26} {:>8} {:<12} {:<12} {:<20} {:>8} {:>8}\n", backup.label, backup.timeline, backup.start_lsn, backup.stop_lsn,
                          seconds_of(backup.stopped), pretty_size(backup.data_bytes), pretty_size(backup.repository_bytes));
        text += remarks(backup, is_kept(cluster, backup));
    }
    return text;
}

std::string render_wal(const std::vector<WalRange>& ranges) {
    if (ranges.empty()) return "    no WAL\n";
    std::string text;
    for (const WalRange& range : ranges)
        text += formatted("    WAL of timeline {:<2} {} to {}, {} segments, {}\n", range.timeline, range.first, range.last, range.segments,
                          pretty_size(range.repository_bytes));
    return text;
}

Lsn end_of(const WalTail& tail, uint32_t segment_size) {
    return start_lsn(tail.segment.segment_number, segment_size) + chain_end(tail.pieces);
}

std::string render_tails(const std::vector<WalTail>& tails, uint32_t segment_size) {
    std::string text;
    for (const WalTail& tail : tails)
        text += formatted("    unfinished         {} up to {}, {}\n", to_string(tail.segment, segment_size), end_of(tail, segment_size),
                          pretty_size(tail.repository_bytes));
    return text;
}

Json tails_json(const std::vector<WalTail>& tails, uint32_t segment_size) {
    Json json = Json::array();
    for (const WalTail& tail : tails)
        json.push_back({{"timeline", tail.segment.timeline},
                        {"segment", to_string(tail.segment, segment_size)},
                        {"end", to_string(end_of(tail, segment_size))},
                        {"repository_bytes", tail.repository_bytes}});
    return json;
}

/// Without reading WAL the time of its end is not known, only a time before it.
std::string render_interval(const ReachableInterval& interval) {
    std::string text = formatted("    reachable          timeline {}, {} to {}, with backup {}\n", interval.timeline, interval.begin, interval.end, interval.backup);
    if (interval.begin_time && interval.known_until)
        text += formatted("                       {} to at least {}\n", seconds_of(*interval.begin_time), seconds_of(*interval.known_until));
    else if (interval.known_until)
        text += formatted("                       to at least {}\n", seconds_of(*interval.known_until));
    return text;
}

uint64_t segments_in(const WalHole& hole, uint32_t segment_size) { return (hole.end - hole.begin) / segment_size; }
std::string first_segment(const WalHole& hole, uint32_t segment_size) {
    return to_string(WalSegmentName{hole.timeline, segment_of(hole.begin, segment_size)}, segment_size);
}
std::string last_segment(const WalHole& hole, uint32_t segment_size) {
    return to_string(WalSegmentName{hole.timeline, segment_before(hole.end, segment_size)}, segment_size);
}

std::string render_hole(const WalHole& hole, uint32_t segment_size) {
    const uint64_t segments = segments_in(hole, segment_size);
    std::string text = formatted("    GAP                {} to {}, {} segment{} {}{}\n", first_segment(hole, segment_size), last_segment(hole, segment_size),
                                 segments, segments == 1 ? "" : "s", name_of(hole.reason),
                                 hole.recorded ? formatted(", recorded {}", seconds_of(*hole.recorded)) : std::string());
    if (!hole.note.empty()) text += formatted("                       note: {}\n", hole.note);
    text += formatted("                       nearest points: {} before, {} after\n", hole.before ? to_string(hole.before->lsn) : "none",
                      hole.after ? formatted("{} (backup {})", hole.after->lsn, hole.after->backup) : std::string("none"));
    return text;
}

std::string render_window(const RecoveryWindow& window, uint32_t segment_size) {
    std::string text;
    for (const ReachableInterval& interval : window.intervals) text += render_interval(interval);
    for (const WalHole& hole : window.holes) text += render_hole(hole, segment_size);
    return text;
}

std::string render_restore_points(const std::vector<RecordedRestorePoint>& points, const RecoveryWindow& window) {
    if (points.empty()) return {};
    std::string text = formatted("    {:<26} {:>8} {:<12} {:<20} {}\n", "restore point", "timeline", "LSN", "time", "note");
    for (const RecordedRestorePoint& point : points)
        text += formatted("    {:<26} {:>8} {:<12} {:<20} {}{}\n", point.name, point.timeline, point.lsn, seconds_of(point.time),
                          interval_at(window, point.timeline, point.lsn) == nullptr ? "(not reachable) " : "", point.note);
    return text;
}

Json wal_json(const std::vector<WalRange>& ranges) {
    Json json = Json::array();
    for (const WalRange& range : ranges)
        json.push_back({{"timeline", range.timeline},
                        {"first", range.first},
                        {"last", range.last},
                        {"segments", range.segments},
                        {"repository_bytes", range.repository_bytes}});
    return json;
}

Json optional_time(const std::optional<TimePoint>& time) { return time ? Json(format_time(*time)) : Json(); }

Json point_json(const std::optional<ReachablePoint>& point) {
    if (!point) return {};
    return {{"lsn", to_string(point->lsn)}, {"time", optional_time(point->time)}, {"backup", point->backup}};
}

Json gaps_json(const RecoveryWindow& window, uint32_t segment_size) {
    Json json = Json::array();
    for (const WalHole& hole : window.holes)
        json.push_back({{"timeline", hole.timeline},
                        {"first", first_segment(hole, segment_size)},
                        {"last", last_segment(hole, segment_size)},
                        {"segments", segments_in(hole, segment_size)},
                        {"begin", to_string(hole.begin)},
                        {"end", to_string(hole.end)},
                        {"reason", name_of(hole.reason)},
                        {"recorded", optional_time(hole.recorded)},
                        {"note", hole.note},
                        {"before", point_json(hole.before)},
                        {"after", point_json(hole.after)}});
    return json;
}

Json intervals_json(const RecoveryWindow& window) {
    Json json = Json::array();
    for (const ReachableInterval& interval : window.intervals)
        json.push_back({{"timeline", interval.timeline},
                        {"begin", to_string(interval.begin)},
                        {"end", to_string(interval.end)},
                        {"begin_time", optional_time(interval.begin_time)},
                        {"known_until", optional_time(interval.known_until)},
                        {"backup", interval.backup}});
    return json;
}

Json restore_points_json(const std::vector<RecordedRestorePoint>& points, const RecoveryWindow& window) {
    Json json = Json::array();
    for (const RecordedRestorePoint& point : points)
        json.push_back({{"name", point.name},
                        {"note", point.note},
                        {"timeline", point.timeline},
                        {"lsn", to_string(point.lsn)},
                        {"time", format_time(point.time)},
                        {"reachable", interval_at(window, point.timeline, point.lsn) != nullptr}});
    return json;
}

RecoveryWindow window_of(const ClusterInfo& cluster) {
    return recovery_window(merge_contents(std::span(&cluster.content, 1), cluster.identity.wal_segment_size));
}

Json cluster_json(const ClusterInfo& cluster) {
    Json former = Json::array();
    for (const ClusterInfo& each : cluster.former) former.push_back(cluster_json(each));
    const RecoveryWindow window = window_of(cluster);
    Json backups = Json::array();
    for (const BackupSummary& backup : cluster.content.backups) {
        backups.push_back(parse_json(render_summary(backup)));
        backups.back()["kept"] = is_kept(cluster, backup);
    }
    Json damaged = Json::array();
    for (const Error& error : cluster.content.damage()) damaged.push_back({{"object", error.object()}, {"message", error.message()}});
    // As text: programs that read numbers as floating point would round it.
    return {{"cluster", cluster.name},
            {"system_identifier", std::to_string(cluster.identity.system_identifier)},
            {"postgresql_major", cluster.identity.major},
            {"wal_segment_size", cluster.identity.wal_segment_size},
            {"backups", std::move(backups)},
            {"wal", {{"ranges", wal_json(cluster.content.wal)},
                     {"gaps", gaps_json(window, cluster.identity.wal_segment_size)},
                     {"unfinished", tails_json(cluster.content.tails, cluster.identity.wal_segment_size)}}},
            {"recovery_window", intervals_json(window)},
            {"restore_points", restore_points_json(cluster.content.restore_points, window)},
            {"damaged", std::move(damaged)},
            {"former", std::move(former)}};
}

std::string render_content(const ClusterInfo& cluster) {
    std::string text = render_backups(cluster);
    text += render_wal(cluster.content.wal);
    text += render_tails(cluster.content.tails, cluster.identity.wal_segment_size);
    const RecoveryWindow window = window_of(cluster);
    text += render_window(window, cluster.identity.wal_segment_size);
    text += render_restore_points(cluster.content.restore_points, window);
    for (const Error& error : cluster.content.damage()) text += formatted("    DAMAGED {}\n", error.message());
    return text;
}

}  // namespace

std::string render_info(std::span<const RepositoryInfo> repositories) {
    std::string text;
    for (const RepositoryInfo& repository : repositories) {
        text += formatted("repository {}\n", repository.url);
        if (repository.clusters.empty()) text += "  no clusters\n";
        for (const ClusterInfo& cluster : repository.clusters) {
            text += formatted("  cluster {}: PostgreSQL {}, system identifier {}, WAL segments of {}\n", cluster.name, cluster.identity.major,
                              cluster.identity.system_identifier, pretty_size(cluster.identity.wal_segment_size));
            text += render_content(cluster);
            for (const ClusterInfo& former : cluster.former) {
                text += formatted("  cluster {} before: PostgreSQL {}, restored with --system-identifier {}\n", former.name, former.identity.major,
                                  former.identity.system_identifier);
                text += render_content(former);
            }
        }
    }
    return text;
}

std::string render_info_json(std::span<const RepositoryInfo> repositories) {
    Json json = Json::array();
    for (const RepositoryInfo& repository : repositories) {
        Json clusters = Json::array();
        for (const ClusterInfo& cluster : repository.clusters) clusters.push_back(cluster_json(cluster));
        json.push_back({{"repository", repository.url}, {"clusters", std::move(clusters)}});
    }
    return render_json(json, JsonStyle::kIndented) + "\n";
}

}  // namespace steward
