// Expiry as people and programs read it.
#pragma once

#include <chrono>
#include <string>

#include "core/expiry/expire.h"
#include "core/protocol/messages.h"
#include "core/settings/settings.h"

namespace steward {

/// What `settings` ask of expiry; dry_run, cancel and observer are left to the caller. Without a time zone days are those of UTC.
/// Errors: as find_time_zone.
Result<ExpiryOptions> expiry_options(const Settings& settings, const Clock& clock, RetryTimer& timer);

/// One object a row, for the repository at `url`: repository, kind ("backup", "pack", "wal", "other"), name, verdict, bytes, reason.
Json expiry_rows(const std::string& url, const ExpiryReport& report);

/// "2 backups, 3 packs (1.2 GB) and 40 WAL segments (210 MB)": what goes or went.
std::string describe_removed(const ExpiryTotals& totals);

/// All of it as a table.
std::string render_expiry(const Repository& repository, const ExpiryReport& report, const ExpiryOptions& options);

}  // namespace steward
