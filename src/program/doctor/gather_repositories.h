// What a doctor finds in the repositories.
#pragma once

#include <vector>

#include "core/base/result.h"
#include "core/doctor/doctor_facts.h"
#include "core/settings/settings.h"
#include "program/open_repositories.h"

namespace steward {

/// Look into every repository of `settings`, in order. What cannot be reached or read is in the facts. Errors: cancelled.
Result<std::vector<RepositoryHealth>> gather_repositories(const Settings& settings, const ReadingContext& context);

/// When the schedule of backups asked for the last one that should have been taken by now: the second run after the newest backup. Nothing
/// when there is no schedule, no backup, or nothing is owed. `server_timezone` is log_timezone, or empty.
std::optional<TimePoint> find_missed_backup(const Settings& settings, const std::vector<RepositoryHealth>& repositories, const std::string& server_timezone,
                                            TimePoint now);

}  // namespace steward
