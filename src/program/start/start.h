// One start: look, plan, do the steps, and give this process to the server.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/crypto/secret.h"
#include "core/settings/settings.h"
#include "core/start/start_request.h"
#include "program/commands.h"
#include "program/restore_arguments.h"

namespace steward {

struct StartTask {
    StartRequest request;
    Secret password;                                  ///< of the environment; empty: none
    std::filesystem::path directory;                  ///< absolute
    std::filesystem::path config_file;                ///< absolute; empty: the one that is found
    std::filesystem::path old_bindir;                 ///< absolute; of the programs that an upgrade begins with, empty: found out
    std::vector<std::filesystem::path> mount_points;  ///< absolute
    std::filesystem::path status_file;                ///< of preseed, absolute; empty: beside the directory
    std::vector<std::string> initdb_options;
    bool dry_run = false;
    OutputFormat format = OutputFormat::kText;
    std::function<Result<Settings>()> settings;       ///< asked for where they are needed
    const RestoreArguments* restore = nullptr;        ///< outlives the run
};

/// Do all that is due. Without a dry run and where a server is to be started, this returns with an error only: the server takes this process's
/// place, with its process id, its standard streams and all signals that came meanwhile. Otherwise returns the exit status. Errors: as
/// choose_programs, plan_start, fix_permissions, run_preseed, run_upgrade and reset_password; wrong_state for permissions that keep the server from
/// starting; engine_failed; cancelled. Call from a process without threads.
Result<int> run_start(StartTask& task);

}  // namespace steward
