// What is known of a cluster that is to be upgraded, and of what the new major has for it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/upgrade/initdb_arguments.h"
#include "core/upgrade/transfer_method.h"

namespace steward {

struct InstalledExtension {
    std::string database, name, version;
};

/// A library that functions in the language C are in, as CREATE FUNCTION named it: "$libdir/hstore".
struct UsedLibrary {
    std::string database, name;
};

struct Tablespace {
    std::string name;
    std::filesystem::path location;
    std::vector<std::string> entries;  ///< names in that directory
};

/// A line of a configuration file, or of ALTER ROLE and ALTER DATABASE.
struct SettingLine {
    std::string name;   ///< in lowercase
    std::string value;
    std::string place;  ///< "/etc/postgresql/15/main/postgresql.conf, line 12", "role alice in database app"
};

struct OldClusterFacts {
    std::filesystem::path data_directory;
    ClusterTraits traits;
    int version_num = 0;             ///< server_version_num
    bool running = false;
    bool was_shut_down = true;       ///< else, with no server, recovery is before it
    std::vector<std::string> files;  ///< names in the data directory
    std::vector<std::string> databases;
    std::vector<InstalledExtension> extensions;
    std::vector<UsedLibrary> libraries;
    std::vector<Tablespace> tablespaces;
    std::vector<SettingLine> settings;
    TransferFacts transfer;
};

/// What the new major says about an extension.
struct ExtensionOffer {
    std::string default_version;
    bool update_path = false;  ///< from the installed version to that one
};

struct NewMajorFacts {
    int version_num = 0;
    std::map<std::string, bool> settings;                ///< of those the old cluster sets: does it know them?
    std::map<std::string, std::string> library_errors;   ///< why a library could not be loaded
    std::map<std::pair<std::string, std::string>, ExtensionOffer> extensions;  ///< by name and installed version; absent: not available
};

}  // namespace steward
