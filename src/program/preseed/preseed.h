// One run of preseed: look, decide, and do what was decided, told in the status file at every step.
//
//   inspecting ─> done (a cluster is there) or refused
//              ─> restoring | initializing ─> verifying ─> renaming ─> done; failed from any of them
//
// What is made has the name of the data directory only when it is whole. A run that is killed leaves a workplace beside it, or, in a mount
// point, a directory without a control file; the next run knows both by what is there, not by the status file.
#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/preseed/plan_seed.h"
#include "core/settings/settings.h"
#include "program/commands.h"
#include "program/restore_arguments.h"

namespace steward {

struct PreseedTask {
    SeedRequest request;
    std::filesystem::path directory;                  ///< absolute
    std::vector<std::filesystem::path> mount_points;  ///< absolute
    std::filesystem::path status_file;                ///< empty: beside the directory
    std::vector<std::string> initdb_options;
    bool dry_run = false;
    OutputFormat format = OutputFormat::kText;
    std::function<Result<Settings>()> settings;       ///< asked for where they are needed
    const RestoreArguments* restore = nullptr;        ///< outlives the run
};

/// Returns when the data directory holds the cluster; with a dry run, when it would. Errors: the decision's refusal; as plan_restore,
/// execute_restore, run_initdb and put_in_place; busy when another one runs; network when a repository that could not be reached may
/// have what others lack.
Result<void> run_preseed(const PreseedTask& task);

}  // namespace steward
