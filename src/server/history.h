// The history of runs: the newest of them in shared memory for steward.jobs, all that are kept in a file of the data directory.
#pragma once

#include <string>

#include "core/jobs/job_record.h"
#include "server/shared_state.h"

namespace steward {

/// "DATADIR/pg_steward": what this server keeps of itself.
std::string steward_directory();

/// Fill the block's history from the file. Runs without an end were ended by the server's end. Called in the postmaster, while
/// nothing else runs; a history that cannot be read is logged and taken as empty.
void load_history() noexcept;

/// Show `record` in steward.jobs, in the place of an earlier record of the same run. Under the block's lock.
void show_in_history(const JobRecord& record);

/// Append `record` to the file. On return it survives a crash. Not under the block's lock. Errors: by errno.
Result<void> write_to_history(const JobRecord& record);

}  // namespace steward
