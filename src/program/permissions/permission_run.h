// Checking and fixing what is wrong with owners and modes, told on the console.
#pragma once

#include <filesystem>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "program/commands.h"
#include "program/permissions/survey.h"

namespace steward {

struct PermissionTask {
    SurveyRequest survey;
    std::filesystem::path save_old;  ///< a fix's list of what was before, absolute; empty: a new file beside the data directory
    bool dry_run = false;            ///< of a fix
    OutputFormat format = OutputFormat::kText;
};

/// Say what is wrong. Returns the exit status: that of wrong_state when there are errors. Errors: as survey_permissions; cancelled.
Result<int> check_permissions(const PermissionTask& task, const CancelToken& cancel);

/// Change what is wrong and can be changed by this user, the list of changes first, and look again until nothing new is seen. Returns the
/// exit status: that of the first change that failed, or of wrong_state when errors are left. Errors: as check_permissions; as ChangeFile.
Result<int> fix_permissions(const PermissionTask& task, const CancelToken& cancel);

/// Take back the changes in `list`, an absolute path, the last one first. Returns as fix_permissions. Errors: as read_change_file; cancelled.
Result<int> undo_permissions(const std::filesystem::path& list, bool dry_run, OutputFormat format, const CancelToken& cancel);

}  // namespace steward
