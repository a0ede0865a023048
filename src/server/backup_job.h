// The one backup that may run: its slot in shared memory, from the request to the result.
#pragma once

#include <string>
#include <vector>

#include "server/shared_state.h"

namespace steward {

struct BackupRequest {
    std::string label;
    bool fast_checkpoint = true;
    bool full_read = false;  ///< read every page, whatever WAL summaries tell
    bool reuse = true;       ///< refer to what earlier backups stored
};

/// Take the slot for a new backup. Returns the job's number. Errors: busy, naming who runs one.
Result<uint64> reserve_backup(const BackupRequest& request);

/// Ask the running backup to stop, if it is still job `number`.
void cancel_backup(uint64 number);

/// Set what steward.backup_progress shows. Worker only.
void note_backup_phase(std::string_view phase);
void note_backup_progress(const BackupProgressMessage& progress);

/// End the job: the backup is complete in these repositories, at least one. steward.backups shows it from now on. Worker only.
void finish_backup(const std::vector<CatalogEntry>& entries);
/// End the job with an error. For the worker, or for the requester when no worker came up.
void fail_backup(uint64 number, const Error& error);

/// Where job `number` stands; kIdle when another has taken the slot since.
JobState backup_state(uint64 number);

}  // namespace steward
