// restore_command: one file for a server in recovery.
#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/restore/wal_spool.h"

namespace steward {

enum class WalGetOutcome {
    kDelivered,
    kNotFound,  ///< proven (fetch_wal_file): the server may end recovery
};

/// Put the WAL file `name` to `destination`, whole or not at all, from the spool or the repositories. For a segment the spool is
/// moved on to it, so that prefetch_wal fetches what comes after; a spool that cannot be used costs time only.
/// `repositories` are all that are configured. Errors: invalid_argument when `name` is no WAL file; as fetch_wal_file; by errno.
Result<WalGetOutcome> get_wal(std::span<const Repository> repositories, const std::string& name, const std::filesystem::path& destination,
                              WalSpool& spool);

}  // namespace steward
