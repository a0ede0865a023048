// What preseed does on disk: the lock, initdb, and the rename that makes a cluster appear at once.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/file.h"
#include "core/base/result.h"

namespace steward {

/// Take the lock of a preseed of `directory`, a file beside it, without waiting. It is held until the descriptor is closed, also by a kill.
/// Errors: busy when another one has it; by errno.
Result<UniqueFd> lock_preseed(const std::filesystem::path& directory);

/// Remove what an interrupted initdb left. Errors: busy when a server works in it; by errno.
Result<void> remove_initdb_leftover(const std::filesystem::path& workplace);

/// Run initdb of `bindir` for a new cluster in `workplace`, with the operator's `options` and locale. What it says goes to standard error.
/// Errors: usage as root, or for options that name a directory; wrong_version, engine_failed, cancelled. On return the cluster survives a
/// crash, unless the options say otherwise.
Result<void> run_initdb(const std::filesystem::path& bindir, const std::filesystem::path& workplace, const std::vector<std::string>& options,
                        const CancelToken& cancel);

/// Give `workplace` the name `directory`, which is not there or is an empty directory: anything else that appeared meanwhile is refused, not
/// replaced. Durable on return. Errors: already_exists; by errno.
Result<void> put_in_place(const std::filesystem::path& workplace, const std::filesystem::path& directory);

}  // namespace steward
