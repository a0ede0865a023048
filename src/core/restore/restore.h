// Executing a restore plan.
#pragma once

#include <span>

#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/restore/restore_plan.h"
#include "core/restore/restore_progress.h"

namespace steward {

/// Do what `plan` says. `repositories` are those it was made with.
///
/// The order makes every moment safe: a marker first, then a control file that is there gets another name, then directories, files and
/// WAL, all flushed, then the control file, without which no server starts, then the marker goes. A crash leaves a directory that the
/// next restore, of this or another backup, recognises: it keeps what is right. Each step is logged as it begins. On return all of it survives a crash. Errors: corrupt_object and missing_wal naming the object, when no
/// repository has it whole; no_space, permission_denied, io_error naming the path; cancelled.
Result<void> execute_restore(const RestorePlan& plan, std::span<const Repository> repositories, Log& log, RestoreProgress& progress,
                             const CancelToken& cancel);

}  // namespace steward
