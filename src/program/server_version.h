// The version of an installed PostgreSQL.
#pragma once

#include <filesystem>

#include "core/base/result.h"

namespace steward {

/// Run "postgres --version" of `bindir` and return the major version. Errors: wrong_version when it does not run or says something
/// else than a version.
Result<int> server_major_of(const std::filesystem::path& bindir);

}  // namespace steward
