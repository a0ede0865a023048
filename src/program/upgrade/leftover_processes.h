// Processes that an upgrade left behind when it was killed.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string_view>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"
#include "program/upgrade/work_directory.h"

namespace steward {

/// How servers are marked that an upgrade starts, beside pg_upgrade's own, which have -b.
inline constexpr std::string_view kUpgradeClusterName = "cluster_name=pg_steward_upgrade";

/// The postmaster in the data directory, if it is one that an upgrade has started.
std::optional<pid_t> find_left_server(const std::filesystem::path& data_directory);

/// End every program of PostgreSQL that works in the work directory, and the server that pg_upgrade or a run left in the data directory, which
/// is shut down in order; wait until none is left. Errors: busy when a server of the operator's runs in the data directory; timed_out;
/// cancelled.
Result<void> end_leftover_processes(const UpgradePlaces& places, RetryTimer& timer, const CancelToken& cancel);

}  // namespace steward
