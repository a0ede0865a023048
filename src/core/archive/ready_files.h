// Which files of pg_wal wait to be archived.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace steward {

/// The names of all files marked ready in `archive_status` (pg_wal/archive_status), in the order of archiving.
/// Names that are no WAL files are left out, as the server does. Errors: by errno.
Result<std::vector<std::string>> list_ready_files(const std::filesystem::path& archive_status);

/// Sort names in the order of archiving: timeline histories first, since they tell other servers of a promotion; then the
/// oldest first. The server's archiver has the same order (ready_file_comparator in pgarch.c).
void sort_for_archiving(std::vector<std::string>& names);

}  // namespace steward
