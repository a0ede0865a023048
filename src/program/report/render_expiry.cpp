#include "program/report/render_expiry.h"

#include <algorithm>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/schedule/time_zone.h"

namespace steward {

namespace {

std::string_view kind_name(ExpiryRow::Kind kind) {
    switch (kind) {
        case ExpiryRow::Kind::kBackup: return "backup";
        case ExpiryRow::Kind::kPacks: return "pack";
        case ExpiryRow::Kind::kWal: return "wal";
        case ExpiryRow::Kind::kOther: return "other";
    }
    return "";
}

std::string counted(uint64_t count, std::string_view one, std::string_view many) { return formatted("{} {}", count, count == 1 ? one : many); }

}  // namespace

Result<ExpiryOptions> expiry_options(const Settings& settings, const Clock& clock, RetryTimer& timer) {
    TRY_ASSIGN(TimeZone zone, find_time_zone(settings.timezone.empty() ? "UTC" : settings.timezone));
    return ExpiryOptions{.policy = settings.retention, .to_local = local_time_in(std::move(zone)), .clock = clock, .timer = timer};
}

Json expiry_rows(const std::string& url, const ExpiryReport& report) {
    Json rows = Json::array();
    for (const ExpiryRow& row : report.rows)
        rows.push_back({{"repository", url}, {"kind", kind_name(row.kind)}, {"name", row.label}, {"verdict", to_string(row.verdict)},
                        {"bytes", row.stored_bytes}, {"reason", row.reason}});
    return rows;
}

std::string describe_removed(const ExpiryTotals& totals) {
    return formatted("{}, {} ({}) and {} ({})", counted(totals.removed.backups, "backup", "backups"), counted(totals.removed.packs, "pack", "packs"),
                     pretty_size(totals.removed.pack_bytes), counted(totals.removed.wal_segments, "WAL segment", "WAL segments"),
                     pretty_size(totals.removed.wal_bytes));
}

std::string render_expiry(const Repository& repository, const ExpiryReport& report, const ExpiryOptions& options) {
    std::string text = formatted("repository {}, cluster {}, retention \"{}\"\n", repository.url(), repository.cluster(), to_string(options.policy));
    size_t width = 0;
    for (const ExpiryRow& row : report.rows) width = std::max(width, row.label.size());
    for (const ExpiryRow& row : report.rows) {
        const std::string size = row.kind == ExpiryRow::Kind::kBackup ? std::string() : pretty_size(row.stored_bytes);
        text += formatted("  {:6}  {:6}  {:{}}  {:>9}  {}\n", to_string(row.verdict), kind_name(row.kind), row.label, width, size, row.reason);
    }
    return text + formatted("{} {}\n", options.dry_run ? "would remove" : "removed", describe_removed(report.totals));
}

}  // namespace steward
