#include "program/render_info.h"

#include <nlohmann/json.hpp>

#include "core/base/bytes.h"
#include "core/base/format.h"

namespace steward {

namespace {

std::string seconds_of(TimePoint time) { return format_time(time).substr(0, 19) + "Z"; }

std::string remarks(const BackupSummary& backup) {
    std::string text;
    if (backup.from_standby) text += "      taken from a standby\n";
    if (backup.checksum_failures != 0) text += formatted("      {} pages had wrong checksums when it was taken\n", backup.checksum_failures);
    if (backup.stop_timeline != backup.timeline) text += formatted("      ends on timeline {}\n", backup.stop_timeline);
    return text;
}

std::string render_backups(const std::vector<BackupSummary>& backups) {
    if (backups.empty()) return "    no backups\n";
    std::string text = formatted("    {:<26} {:>8} {:<12} {:<12} {:<20} {:>8} {:>8}\n", "backup", "timeline", "start", "stop", "finished", "size", "added");
    for (const BackupSummary& backup : backups) {
        text += formatted("    {:<26} {:>8} {:<12} {:<12} {:<20} {:>8} {:>8}\n", backup.label, backup.timeline, backup.start_lsn, backup.stop_lsn,
                          seconds_of(backup.stopped), pretty_size(backup.data_bytes), pretty_size(backup.repository_bytes));
        text += remarks(backup);
    }
    return text;
}

std::string render_wal(const std::vector<WalRange>& ranges, uint32_t segment_size) {
    if (ranges.empty()) return "    no WAL\n";
    std::string text;
    const WalRange* before = nullptr;
    for (const WalRange& range : ranges) {
        const auto gap = before != nullptr ? gap_between(*before, range, segment_size) : std::nullopt;
        if (gap) text += formatted("    GAP                {} to {}, {} segments missing\n", gap->first, gap->last, gap->segments);
        text += formatted("    WAL of timeline {:<2} {} to {}, {} segments, {}\n", range.timeline, range.first, range.last, range.segments,
                          pretty_size(range.repository_bytes));
        before = &range;
    }
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

nlohmann::json tails_json(const std::vector<WalTail>& tails, uint32_t segment_size) {
    nlohmann::json json = nlohmann::json::array();
    for (const WalTail& tail : tails)
        json.push_back({{"timeline", tail.segment.timeline},
                        {"segment", to_string(tail.segment, segment_size)},
                        {"end", to_string(end_of(tail, segment_size))},
                        {"repository_bytes", tail.repository_bytes}});
    return json;
}

nlohmann::json wal_json(const RepositoryContent& content, uint32_t segment_size) {
    const std::vector<WalRange>& ranges = content.wal;
    nlohmann::json json = {{"ranges", nlohmann::json::array()}, {"gaps", nlohmann::json::array()}, {"unfinished", tails_json(content.tails, segment_size)}};
    const WalRange* before = nullptr;
    for (const WalRange& range : ranges) {
        if (const auto gap = before != nullptr ? gap_between(*before, range, segment_size) : std::nullopt)
            json["gaps"].push_back({{"timeline", range.timeline}, {"first", gap->first}, {"last", gap->last}, {"segments", gap->segments}});
        json["ranges"].push_back({{"timeline", range.timeline},
                                  {"first", range.first},
                                  {"last", range.last},
                                  {"segments", range.segments},
                                  {"repository_bytes", range.repository_bytes}});
        before = &range;
    }
    return json;
}

nlohmann::json cluster_json(const ClusterInfo& cluster) {
    nlohmann::json backups = nlohmann::json::array();
    for (const BackupSummary& backup : cluster.content.backups) backups.push_back(nlohmann::json::parse(render_summary(backup)));
    nlohmann::json damaged = nlohmann::json::array();
    for (const Error& error : cluster.content.damage()) damaged.push_back({{"object", error.object()}, {"message", error.message()}});
    // As text: programs that read numbers as floating point would round it.
    return {{"cluster", cluster.name},
            {"system_identifier", std::to_string(cluster.identity.system_identifier)},
            {"postgresql_major", cluster.identity.major},
            {"wal_segment_size", cluster.identity.wal_segment_size},
            {"backups", std::move(backups)},
            {"wal", wal_json(cluster.content, cluster.identity.wal_segment_size)},
            {"damaged", std::move(damaged)}};
}

}  // namespace

std::optional<WalGap> gap_between(const WalRange& before, const WalRange& after, uint32_t segment_size) {
    const auto last = parse_wal_segment_name(before.last, segment_size);
    const auto first = parse_wal_segment_name(after.first, segment_size);
    if (before.timeline != after.timeline || !last.ok() || !first.ok() || first->segment_number <= last->segment_number + 1) return std::nullopt;
    return WalGap{to_string(last->next(), segment_size), to_string(WalSegmentName{first->timeline, first->segment_number - 1}, segment_size),
                  first->segment_number - last->segment_number - 1};
}

std::string render_info(std::span<const RepositoryInfo> repositories) {
    std::string text;
    for (const RepositoryInfo& repository : repositories) {
        text += formatted("repository {}\n", repository.url);
        if (repository.clusters.empty()) text += "  no clusters\n";
        for (const ClusterInfo& cluster : repository.clusters) {
            text += formatted("  cluster {}: PostgreSQL {}, system identifier {}, WAL segments of {}\n", cluster.name, cluster.identity.major,
                              cluster.identity.system_identifier, pretty_size(cluster.identity.wal_segment_size));
            text += render_backups(cluster.content.backups);
            text += render_wal(cluster.content.wal, cluster.identity.wal_segment_size);
            text += render_tails(cluster.content.tails, cluster.identity.wal_segment_size);
            for (const Error& error : cluster.content.damage()) text += formatted("    DAMAGED {}\n", error.message());
        }
    }
    return text;
}

std::string render_info_json(std::span<const RepositoryInfo> repositories) {
    nlohmann::json json = nlohmann::json::array();
    for (const RepositoryInfo& repository : repositories) {
        nlohmann::json clusters = nlohmann::json::array();
        for (const ClusterInfo& cluster : repository.clusters) clusters.push_back(cluster_json(cluster));
        json.push_back({{"repository", repository.url}, {"clusters", std::move(clusters)}});
    }
    return json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

}  // namespace steward
