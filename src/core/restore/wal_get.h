// restore_command: one file for a server in recovery.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/restore/wal_spool.h"

namespace steward {

enum class WalGetOutcome {
    kDelivered,
    kDeliveredTail,  ///< a segment that was never finished: the WAL ends in it, for now
    kNotFound,       ///< proven (fetch_segment): the server may end recovery
};

struct WalGetOptions {
    /// Why a configured repository is not among those asked. It might hold the file, so that this takes the place of "not found", and of
    /// a tail.
    std::optional<Error> unavailable;
    /// The timeline that recovery follows, where that is fixed. Otherwise the tail of a timeline counts up to where its newest descendant
    /// forked off.
    std::optional<TimelineId> timeline;
};

/// Put the WAL file `name` to `destination`, whole or not at all, from the spool or the repositories. For a segment the spool is
/// moved on to it, so that prefetch_wal fetches what comes after; a spool that cannot be used costs time only. What was put together
/// from a tail never gets into the spool: the next request for it may find more, or the whole segment.
/// Errors: invalid_argument when `name` is no WAL file; `options.unavailable`; as fetch_segment and tail_limit; by errno.
Result<WalGetOutcome> get_wal(std::span<const Repository> repositories, const std::string& name, const std::filesystem::path& destination,
                              WalSpool& spool, const WalGetOptions& options = {});

}  // namespace steward
