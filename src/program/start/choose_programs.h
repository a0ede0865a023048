// Which installed PostgreSQL a start runs.
#pragma once

#include <filesystem>
#include <optional>

#include "core/base/result.h"

namespace steward {

struct ServerPrograms {
    std::filesystem::path bindir;  ///< absolute
    int major = 0;
};

/// Choose the programs: those in `bindir` where it is not empty; else those beside this program, if they are of the asked `major` or none is
/// asked for; else those of `major` where Debian's and the PGDG's packages put them. Runs "postgres --version". Errors: wrong_version when
/// what is in `bindir` does not run; not_found, with a hint.
Result<ServerPrograms> choose_programs(const std::filesystem::path& bindir, std::optional<int> major);

}  // namespace steward
