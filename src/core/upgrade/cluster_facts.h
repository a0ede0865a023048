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

/// An option that ALTER TABLE ... ALTER COLUMN ... SET gave to columns of one database.
struct ColumnOption {
    std::string database, name, value;  ///< one of the values that columns have
    uint64_t columns = 0;               ///< how many have it
    std::string example;                ///< one of them, quoted for SQL: "public.items, column price"
};

/// A line of a configuration file, or of ALTER ROLE and ALTER DATABASE.
struct SettingLine {
    std::string name;   ///< in lowercase
    std::string value;
    std::string place;  ///< "/etc/postgresql/15/main/postgresql.conf, line 12", "role alice in database app"
    std::string reset;  ///< the statement that takes back what a role or a database has; empty for a line of a file
};

struct OldClusterFacts {
    std::filesystem::path data_directory;
    ClusterTraits traits;
    int version_num = 0;             ///< server_version_num
    bool running = false;
    bool was_shut_down = true;       ///< else, with no server, recovery is before it
    std::optional<int> lock_holder;  ///< with no server: a process that postmaster.pid names, and that is none of this directory
    bool mount_point = false;        ///< the data directory is one
    bool parent_writable = true;     ///< its owner can make directories beside it
    std::vector<std::string> files;  ///< names in the data directory
    std::vector<std::string> databases;
    std::vector<InstalledExtension> extensions;
    std::vector<UsedLibrary> libraries;
    std::vector<Tablespace> tablespaces;
    std::vector<SettingLine> settings;
    std::vector<ColumnOption> column_options;
    int logical_slots = 0;  ///< that are there, whether they can be carried over or not
    int subscriptions = 0;
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
    std::map<std::pair<std::string, std::string>, std::string> refused_values;  ///< why it does not take a setting's value, by both
    std::map<std::string, std::string> column_option_errors;                    ///< why it does not take an option of columns
    std::map<std::string, std::string> load_errors;   ///< why a library could not be loaded
    std::map<std::pair<std::string, std::string>, ExtensionOffer> extensions;  ///< by name and installed version; absent: not available
};

}  // namespace steward
