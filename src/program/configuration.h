// Settings of the program: where each one comes from.
//
// Each setting is looked for on the command line, in the environment (PG_STEWARD_REPOSITORY), in the program's configuration file,
// and in the data directory's own configuration (steward.repository), in this order. All names are made of the one table.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/settings/settings.h"

namespace steward {

/// Value of an environment variable, or nothing; a function so that tests have an environment of their own.
using Environment = std::function<std::optional<std::string>(const std::string& name)>;

/// The environment of this process.
Environment process_environment();

/// What the command line says about settings.
struct ConfigurationSources {
    SettingTexts flags;                          ///< by name, without prefix
    std::string config_file;                     ///< --config; empty when not given
    std::filesystem::path data_directory;        ///< --data-dir or PGDATA; empty when neither is given
    Environment environment;
    std::filesystem::path default_config_file = "/etc/pg_steward.conf";  ///< read if it exists
};

/// "--backup-workers" for "backup_workers".
std::string flag_of(const SettingInfo& setting);
/// "PG_STEWARD_BACKUP_WORKERS" for "backup_workers".
std::string variable_of(const SettingInfo& setting);

/// Find every setting's text. A data directory that does not exist (it is to be restored) counts as one without settings. So does one
/// with the mark of a restore that did not finish: what is there may be half of a file, and starting over must find the same settings.
/// Errors: configuration naming file and line for what is not understood; by errno when a named file cannot be read.
Result<SettingTexts> resolve_setting_texts(const ConfigurationSources& sources);

/// Find, check and default the settings. Errors: as resolve_setting_texts and parse_settings.
Result<Settings> resolve_settings(const ConfigurationSources& sources);

}  // namespace steward
