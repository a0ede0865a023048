// The one backup that may run: its slot in shared memory, from the request to the result.
#pragma once

#include <string>
#include <vector>

#include "server/run.h"

namespace steward {

struct BackupRequest {
    std::string label;
    bool fast_checkpoint = true;
    bool full_read = false;  ///< read every page, whatever WAL summaries tell
    bool reuse = true;       ///< refer to what earlier backups stored
    JobTrigger trigger = JobTrigger::kManual;
};

/// Whether this server can be backed up now. Errors: wrong_state with the cure.
Result<void> check_can_back_up();

/// A label for a backup that is asked for without one.
std::string label_for_backup();

/// Take the slot for a new backup. Returns the run's number. Errors: busy, naming who runs one.
Result<uint64> reserve_backup(const BackupRequest& request);

/// Set what steward.backup_progress shows. Worker only.
void note_backup_progress(const BackupProgressMessage& progress);

/// End run `number`: the backup is complete in these repositories, at least one. steward.backups shows it from now on. Worker
/// only. Errors: server_raised.
Result<void> finish_backup(uint64 number, const std::vector<CatalogEntry>& entries);

}  // namespace steward
