// The job "expire": retention, in every repository.

#include <optional>

#include "core/base/format.h"
#include "program/report/render_expiry.h"
#include "program/upkeep/upkeep.h"

namespace steward {

namespace {

ExpiryTotals::Side& operator+=(ExpiryTotals::Side& sum, const ExpiryTotals::Side& part) {
    sum.backups += part.backups;
    sum.packs += part.packs;
    sum.pack_bytes += part.pack_bytes;
    sum.wal_segments += part.wal_segments;
    sum.wal_bytes += part.wal_bytes;
    return sum;
}

}  // namespace

Result<UpkeepResult> run_expire_job(const UpkeepContext& context, const Json& options) {
    TRY_ASSIGN(ExpiryOptions expiry, expiry_options(context.settings, context.clock, context.timer));
    expiry.dry_run = options.value("dry_run", false);
    expiry.cancel = context.cancel;
    expiry.observer = [&](uint64_t done, uint64_t total) {
        context.progress.total = total;
        context.progress.done = done;
    };
    Json rows = Json::array();
    ExpiryTotals totals;
    uint64_t bytes = 0;
    std::optional<Error> first_error;
    for (const Repository& repository : context.repositories) {
        context.progress.enter(formatted("{} {}", expiry.dry_run ? "planning for" : "removing from", repository.url()));
        Result<ExpiryReport> report = expire_repository(repository, expiry);
        if (!report.ok()) {
            // The others are not kept waiting by one that is down or in use.
            if (!first_error) first_error = std::move(report).error().context(formatted("while removing from repository \"{}\"", repository.url()));
            continue;
        }
        const Json more = expiry_rows(repository.url(), *report);
        rows.insert(rows.end(), more.begin(), more.end());
        totals.removed += report->totals.removed;
        bytes += report->removed_bytes;
    }
    if (first_error) return std::move(*first_error);
    return UpkeepResult{{{"rows", std::move(rows)}}, formatted("{} {}", expiry.dry_run ? "would remove" : "removed", describe_removed(totals)), bytes};
}

}  // namespace steward
