// The backup session: pg_backup_start and pg_backup_stop, called through SQL because their SQL form is the same in 15 to 19.
#pragma once

#include <cstdint>
#include <string>

#include "core/base/result.h"

namespace steward {

struct StoppedBackup {
    uint64_t lsn = 0;
    std::string backup_label;
    std::string tablespace_map;
};

/// Begin a backup in this session and return its start LSN. Waits for a checkpoint: at once when `fast`, otherwise spread over
/// checkpoint_completion_target. Errors: server_raised.
Result<uint64_t> start_backup_session(const std::string& label, bool fast);

/// End it, without waiting for the archiver: the engine waits for the WAL itself. Errors: server_raised.
Result<StoppedBackup> stop_backup_session();

}  // namespace steward
