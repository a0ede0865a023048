// Files and directories outside the cluster's own that its server, or pg_steward, uses: what the configuration names.
#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/permissions/access.h"

namespace steward {

struct ServerFiles {
    std::vector<AccessCase> cases;
    std::set<std::string> named;         ///< at the top of the data directory, to be judged as the cluster's own
    std::set<std::string> judged_apart;  ///< the same, with a case of its own
    std::vector<Error> problems;         ///< what could not be found out
};

/// Find what the configuration names. @param data_directory absolute, symbolic links resolved. @param config_file absolute.
/// @param home the owner's home directory, empty when there is none.
ServerFiles find_server_files(const std::filesystem::path& data_directory, const std::filesystem::path& config_file, const std::filesystem::path& home);

}  // namespace steward
