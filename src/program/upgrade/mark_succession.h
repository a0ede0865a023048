// That the cluster of one major goes on for that of another in the repository.
#pragma once

#include <filesystem>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/repository/succession.h"

namespace steward {

/// The mark by which the cluster `successor` goes on for the cluster `predecessor`, whatever either has of pg_steward, and for those that this
/// one went on for. Neither is in use. Errors: those of read_control_file and read_pg_version.
Result<Succession> describe_succession(const std::filesystem::path& predecessor, const std::filesystem::path& successor, const Clock& clock);

/// Leave that mark in the cluster `successor`. Durable on return; can be done again. Errors: those of describe_succession; by errno.
Result<void> mark_succession(const std::filesystem::path& predecessor, const std::filesystem::path& successor, const Clock& clock);

}  // namespace steward
