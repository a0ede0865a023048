// The newest backup as a cluster that an upgrade can be rehearsed on.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/proof/scratch_directory.h"
#include "core/restore/restore_progress.h"
#include "core/settings/settings.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// What restoring needs; all of it outlives the call.
struct RehearsalRestore {
    const Settings& settings;           ///< say where the repositories are
    std::optional<std::string> backup;  ///< label; nothing means the newest
    std::filesystem::path cluster;      ///< the data directory whose backups these are
    uint64_t system_identifier = 0;     ///< of it
    std::filesystem::path bindir;       ///< of its major
    std::filesystem::path config_file;  ///< that its server is started with
    int major = 0;
    const Clock& clock;
    RetryTimer& timer;
    Log& log;
    RestoreProgress& progress;
    const CancelToken& cancel;
};

/// The configuration file of the rehearsal's cluster: the one in it, or the one that the cluster's own server has elsewhere. Pure.
std::filesystem::path rehearsed_config(const std::filesystem::path& config_file, const std::filesystem::path& cluster, const ScratchDirectory& scratch);

/// Restore a backup into `scratch`, recover it to the end of its WAL and shut it down. What its server says goes to `log_file`. Returns the backup's
/// label. On return all of it is on disk. Errors: configuration without a repository; wrong_state for backups of another cluster; no_space; those of
/// plan_restore and execute_restore; server_raised; cancelled.
Result<std::string> restore_for_rehearsal(const RehearsalRestore& inputs, const ScratchDirectory& scratch, const std::filesystem::path& log_file);

/// Check that the file system of `directory` has room for `needed` bytes of `what`. Errors: no_space with a hint; by errno.
Result<void> check_rehearsal_room(const std::filesystem::path& directory, uint64_t needed, std::string_view what);

}  // namespace steward
