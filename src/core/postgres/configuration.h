// Server configuration files, read and changed without a server.
#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace steward {

/// Names in lowercase, values with quotes and escapes removed.
using ServerConfiguration = std::map<std::string, std::string>;

/// One "name = value" of a file, includes among them.
struct ConfigurationEntry {
    std::string name;  ///< in lowercase
    std::string value;
    int line = 0;  ///< counted from 1
};

/// Parse the text of one file by the rules of src/backend/utils/misc/guc-file.l: an optional "=", values bare or in single
/// quotes with '' and backslash escapes, "#" comments. `file_name` is for the message. Errors: configuration, naming file,
/// line and the text that is not understood.
Result<std::vector<ConfigurationEntry>> parse_configuration(std::string_view text, std::string_view file_name);

/// Read one file with all it includes; the last setting of a name wins.
///
/// include, include_if_exists and include_dir (files "*.conf" not hidden, in the order of their names) are relative to the
/// file they stand in and may nest ten deep, as in the server. A missing `file` is an empty one. Errors: configuration for
/// syntax, depth and missing included files; by errno.
Result<ServerConfiguration> read_configuration_file(const std::filesystem::path& file);

/// Read what a server started with `data_directory` and nothing else would read: postgresql.conf, then
/// postgresql.auto.conf over it. Settings of the command line and a postgresql.conf kept elsewhere are not seen.
Result<ServerConfiguration> read_server_configuration(const std::filesystem::path& data_directory);

/// Quote any value so that the server reads it back: "it's" becomes "'it''s'". A newline becomes an escape. `value` holds no
/// zero byte, which no setting can.
std::string quote_configuration_value(std::string_view value);

/// Render "name = 'value'" lines, in the order of the names.
std::string render_configuration(const ServerConfiguration& settings);

/// Values to set; nothing means: back to the default.
using ConfigurationChanges = std::map<std::string, std::optional<std::string>>;

/// Change a postgresql.auto.conf: every former line of a name in `changes` (in lowercase) goes, the new ones are appended,
/// all else stays byte for byte. Lines that are not understood stay too: the server will tell.
std::string set_configuration(std::string_view text, const ConfigurationChanges& changes);

}  // namespace steward
