// What a job found out, kept for whoever asked: too long for shared memory.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace steward {

/// Store the report of run `number` of `job` in `directory`/reports and remove the earlier ones of that job. On return it
/// survives a crash. Makes the directories. Errors: by errno.
Result<void> store_job_report(const std::filesystem::path& directory, std::string_view job, uint64_t number, std::string_view report);

/// Read it. Errors: not_found when a later run of the job has taken its place; by errno.
Result<std::string> read_job_report(const std::filesystem::path& directory, std::string_view job, uint64_t number);

}  // namespace steward
