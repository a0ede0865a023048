// The versions of an installed PostgreSQL and of an installed pg_steward.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/result.h"

namespace steward {

/// Run "postgres --version" of `bindir` and return the major version. Errors: wrong_version when it does not run or says something
/// else than a version.
Result<int> server_major_of(const std::filesystem::path& bindir);

/// Run "PROGRAM --version" of a pg_steward and return its version; empty when it does not run or says something else.
std::string steward_version_of(const std::filesystem::path& program);

}  // namespace steward
