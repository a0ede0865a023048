// The file that remembers the runs of jobs: a line at the start of a run and one at its end.
#pragma once

#include <cstddef>
#include <filesystem>
#include <vector>

#include "core/base/result.h"
#include "core/jobs/job_record.h"

namespace steward {

/// In a data directory: what pg_steward keeps of this server. Never part of a backup (exclusion_of): a restored server has a
/// history of its own.
inline constexpr const char* kStewardDirectory = "pg_steward";

/// The history is cut to so many runs when its file has more than kMostHistoryLines lines.
inline constexpr size_t kKeptRuns = 1000;
inline constexpr size_t kMostHistoryLines = 2000;

struct JobHistory {
    std::vector<JobRecord> records;  ///< ordered by number; runs without an end are kRunning
    size_t lines = 0;                ///< in the file
};

/// Read the history in `directory`; empty when there is none. Errors: by errno.
Result<JobHistory> read_job_history(const std::filesystem::path& directory);

/// Append one line. On return it survives a crash. Calls on one directory must not overlap, nor overlap compaction. Makes the
/// directory. Errors: by errno; a line that was written in part is passed over by readers.
Result<void> append_job_record(const std::filesystem::path& directory, const JobRecord& record);

/// Keep what kept_records names, one line a run. Returns the number of lines. Errors: by errno; the file is as it was then.
Result<size_t> compact_job_history(const std::filesystem::path& directory, size_t keep = kKeptRuns);

}  // namespace steward
