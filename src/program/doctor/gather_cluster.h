// What a doctor looks at on this host: the data directory, its configuration, its programs, its disks.
#pragma once

#include <filesystem>
#include <optional>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/doctor/doctor_facts.h"
#include "core/settings/settings.h"

namespace steward {

/// Look at `path`, absolute. `config_file` is the operator's, or empty. What cannot be found out is in the facts. Errors: cancelled.
Result<DataDirectoryFacts> gather_data_directory(const std::filesystem::path& path, const std::filesystem::path& config_file, const CancelToken& cancel);

/// Look at the programs in `bindir`, or, where it is empty, at those of the server of `directory`, and at what is installed with them. Runs
/// them with "--version". `engine` is steward.program, or empty.
InstallationFacts gather_installation(const std::filesystem::path& bindir, const DataDirectoryFacts* directory, const std::filesystem::path& engine);

/// The file systems of the data directory, its WAL and `repositories`, each once; those that cannot be looked at are left out.
std::vector<DiskFacts> gather_disks(const DataDirectoryFacts* directory, const std::vector<StorageUrl>& repositories);

}  // namespace steward
