// The major version a data directory belongs to.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/base/result.h"

namespace steward {

/// Parse the content of a PG_VERSION file: "15\n". Errors: wrong_version for releases before 10, whose version has two
/// parts; corrupt_object for anything that is no version.
Result<int> parse_pg_version(std::string_view content);

/// Read the major version of `data_directory` from its PG_VERSION. Errors: not_found, with a hint, when there is none (this
/// is no data directory); those of parse_pg_version; by errno.
Result<int> read_pg_version(const std::filesystem::path& data_directory);

}  // namespace steward
