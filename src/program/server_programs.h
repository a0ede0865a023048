// Which programs and which configuration a data directory's server has.
#pragma once

#include <filesystem>
#include <optional>

#include "core/base/result.h"
#include "core/proof/drill.h"

namespace steward {

/// How the server of `data_directory` was started: of `bindir`'s programs when that is given, else as its postmaster.opts says, else by the
/// programs beside this one. Errors: by errno.
Result<RunningServer> find_server_programs(const std::optional<std::filesystem::path>& bindir, const std::filesystem::path& data_directory);

/// The configuration file of the server of `data_directory`: the one its last start named; postgresql.conf in the directory; else, as Debian
/// has it, the one below /etc/postgresql that names the directory. Errors: not_found, with a hint.
Result<std::filesystem::path> find_configuration_file(const std::filesystem::path& data_directory, int major);

}  // namespace steward
