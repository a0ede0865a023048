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

/// Choose the programs that an upgrade of a cluster of `major` to that of `newer` begins with: those in `asked` where it is not empty; else those
/// beside the newer ones, those the server was last started with (not as root), or those where packages put them; nothing when none is there. Runs
/// "postgres --version". Errors: wrong_version when what is in `asked` is of another major or does not run.
Result<std::optional<std::filesystem::path>> choose_old_programs(const std::filesystem::path& asked, const std::filesystem::path& data_directory, int major,
                                                                 const ServerPrograms& newer);

}  // namespace steward
