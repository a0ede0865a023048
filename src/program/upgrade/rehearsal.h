// An upgrade tried out on a copy of the cluster or on its newest backup, step by step as the real one, and timed.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/restore/restore_progress.h"
#include "core/settings/settings.h"
#include "core/upgrade/rehearsal_record.h"
#include "program/upgrade/upgrade_run.h"

namespace steward {

struct RehearsalInputs {
    UpgradeRunInputs upgrade;           ///< as it would be run; `dry_run` is not looked at
    std::filesystem::path place = {};   ///< absolute; empty: "DIR.rehearsal" beside the data directory
    bool from_backup = false;           ///< rehearse with a backup also when the server is down
    std::optional<std::string> backup = {};  ///< label; nothing means the newest
    bool keep = false;                  ///< leave the upgraded copy
    const Settings& settings;           ///< say where the repositories are
    Log& log;
    RestoreProgress& progress;          ///< of the restore
};

/// Rehearse an upgrade: take a copy of the cluster where its server is down, or else restore a backup and recover it; run the upgrade on that by the
/// code that runs the real one; tell what it took, and write that into UpgradePlaces::rehearsal_record.
///
/// Nothing in the data directory and its tablespaces is changed, nor does the copy's server reach what the cluster's own one reaches. What is in the
/// system's page cache of the cluster's files is put back to what it was, and the copy's is made alike, so that reading takes what it will take.
/// On return nothing of it is left but the record, also after an error, and then the logs if the upgrade got so far, which the error names. A
/// rehearsal that was killed leaves its directory, which the next one removes. As root, becomes the owner of the data directory for good; beside a
/// running server, yields to it from then on. Leaves the current directory for "/".
///
/// Errors: busy when another rehearsal runs there; wrong_state when an upgrade is under way, something else has the directory's name, or the server
/// runs and there is no repository; no_space; those of restore_for_rehearsal and copy_cluster; those of run_upgrade.
Result<RehearsalRecord> rehearse_upgrade(const RehearsalInputs& inputs, const UpgradeSurroundings& surroundings);

}  // namespace steward
