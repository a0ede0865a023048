#include "program/engine/catalog_entry.h"

#include <utility>

namespace steward {

CatalogEntry catalog_entry(const BackupSummary& summary, std::string url, bool kept) {
    return {.repository = std::move(url),
            .label = summary.label,
            .start_lsn = to_string(summary.start_lsn),
            .stop_lsn = to_string(summary.stop_lsn),
            .timeline = summary.timeline,
            .started_us = summary.started.time_since_epoch().count(),
            .stopped_us = summary.stopped.time_since_epoch().count(),
            .data_bytes = summary.data_bytes,
            .repository_bytes = summary.repository_bytes,
            .files = summary.files,
            .checksum_failures = summary.checksum_failures,
            .from_standby = summary.from_standby,
            .server_version = summary.server_version,
            .base = summary.base,
            .kept = kept};
}

}  // namespace steward
