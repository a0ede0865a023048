// One run of a job, as the history keeps it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace steward {

enum class JobTrigger {
    kManual,
    kSchedule,
    kGap,         ///< WAL was given up: nothing after it could be recovered without this backup
    kSuccession,  ///< the cluster went on for another one, and had no backup of its own
};

enum class JobResult { kRunning, kSucceeded, kFailed, kCancelled };

/// "manual", "schedule", "gap", "succession"; "running", "succeeded", "failed", "cancelled": as in the file and in steward.jobs.
std::string_view to_string(JobTrigger trigger);
std::string_view to_string(JobResult result);

/// A run of a job or of a backup.
struct JobRecord {
    uint64_t number = 0;  ///< grows with every run of any job in this data directory; never used again
    std::string job;      ///< "backup", "verify"
    JobTrigger trigger = JobTrigger::kManual;
    TimePoint started;
    std::optional<TimePoint> finished;  ///< nothing while it runs, and when the server ended first
    uint64_t bytes = 0;                 ///< read, written or removed, whichever tells of the job
    JobResult result = JobResult::kRunning;
    std::string summary;  ///< one clause for people
    std::string error;

    bool operator==(const JobRecord&) const = default;
};

/// One line of JSON with its newline. Bytes that are not UTF-8 are replaced. Pure.
std::string render_job_record(const JobRecord& record);

/// Read one line. Errors: corrupt_object. Pure.
Result<JobRecord> parse_job_record(std::string_view line);

/// Make records of a history's lines, ordered by number. A run has a line for its start and one for its end: the later line
/// counts. A line that cannot be read is passed over: it is the one that was being written when the machine stopped. Pure.
std::vector<JobRecord> fold_job_records(std::string_view lines);

/// Of records ordered by number, return the newest `keep`, and of each job the newest run that succeeded and the newest run, however
/// old: schedules go by them. Ordered by number. Pure.
std::vector<JobRecord> kept_records(const std::vector<JobRecord>& records, size_t keep);

/// Say of the runs without an end that the server ended while they ran. Right only while none can be running. Pure.
void end_unfinished(std::vector<JobRecord>& records);

}  // namespace steward
