// What restore and preseed ask alike on their command lines: which moment, as what, and where to.
#pragma once

#include <CLI/CLI.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/restore/restore_plan.h"
#include "core/settings/settings.h"

namespace steward {

/// Options of a restore, as they were typed. Lives as long as the parser.
struct RestoreArguments {
    /// Add --backup, the recovery target and what belongs to it.
    void add_target(CLI::App& app);
    /// Add --standby and how it connects.
    void add_standby(CLI::App& app);
    /// Add where tablespaces go.
    void add_tablespaces(CLI::App& app);
    /// Add --owner, --bindir and --jobs.
    void add_execution(CLI::App& app);

    /// Turn them into a restore into `data_directory`, which may be relative. Runs "postgres --version" of --bindir. Errors: usage,
    /// invalid_argument, wrong_version; as own_wal_get.
    Result<RestoreOptions> make_options(const Settings& settings, const std::filesystem::path& data_directory) const;

    std::string backup;
    std::optional<uint64_t> system_identifier;  ///< restore only: of a cluster that had the name before
    std::optional<std::string> time, xid, name, lsn;
    bool immediate = false;
    std::string timeline = "latest";
    bool exclusive = false;
    std::string action = "pause";
    bool no_target_check = false;
    bool standby = false;
    std::string primary_conninfo, primary_host, primary_port, primary_user, slot;
    std::vector<std::string> tablespaces;
    std::string tablespace_root;
    std::string owner;
    std::string bindir;
    int jobs = 4;
};

}  // namespace steward
