// That the cluster of one major goes on for that of another in the repository.
#pragma once

#include <filesystem>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace steward {

/// Leave the mark of succession in the cluster `successor`: it goes on for the cluster `predecessor`, whatever either has of pg_steward, and for
/// those that this one went on for. Neither is in use. Durable on return; can be done again. Errors: those of read_control_file,
/// read_pg_version; by errno.
Result<void> mark_succession(const std::filesystem::path& predecessor, const std::filesystem::path& successor, const Clock& clock);

}  // namespace steward
