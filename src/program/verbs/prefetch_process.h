// Fetching WAL ahead in the background, after wal-get has answered.
#pragma once

#include <cstdint>
#include <optional>

#include "core/base/result.h"
#include "core/restore/wal_spool.h"
#include "core/settings/settings.h"

namespace steward {

/// Start a process of its own that runs prefetch_wal, unless one runs already or enough is there. It is nobody's child, holds none
/// of this process's descriptors, and ends when the window is full, WAL ends or the spool vanishes. This process must have one
/// thread only. `system_identifier` is that of ReadingContext. A failure costs time and nothing else, so there is nothing to return.
void start_prefetcher(WalSpool& spool, WalSegmentName asked, const Settings& settings, std::optional<uint64_t> system_identifier);

}  // namespace steward
