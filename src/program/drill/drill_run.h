// Running a restore drill: restore, start, recover, check, clean up.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/proof/drill.h"
#include "core/repository/repository.h"
#include "core/restore/restore_progress.h"
#include "core/settings/settings.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// What a drill needs; all of it outlives the run.
struct DrillInputs {
    const Settings& settings;
    std::span<const Repository> repositories;  ///< not empty, of one cluster
    std::filesystem::path data_directory;      ///< of the server whose backups are drilled: says which programs are its own; may be empty
    std::optional<std::filesystem::path> bindir;  ///< of the programs, where the operator names them
    std::optional<std::string> backup;            ///< label; nothing means the newest
    const Clock& clock;
    RetryTimer& timer;
    Log& log;
    RestoreProgress& progress;
    CancelToken cancel;
};

/// Run a drill in this thread, which must live until it returns, with the least priority for processor and disk from then on.
///
/// Nothing of it is left on return: no process, no file. A drill that failed is a record with its failure, and so is one whose backup
/// could not be restored. Errors are for what kept it from being one: configuration when no directory is set, busy, no_space,
/// wrong_version for the programs, not_found for the backup, cancelled.
Result<DrillRecord> run_drill(const DrillInputs& inputs);

/// Store the record in every repository. All are tried; the first failure is returned, naming the repository. Errors: as store_drill.
Result<void> record_drill(std::span<const Repository> repositories, const DrillRecord& record);

}  // namespace steward
