// Waiting until the WAL that makes a backup consistent is in the repositories.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/pg_control.h"
#include "core/postgres/wal_name.h"
#include "core/repository/repository.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// The WAL of one backup.
struct BackupWal {
    TimelineId stop_timeline = 0;
    std::vector<std::string> names;  ///< segments, oldest first, and the history of a timeline that began meanwhile
};

/// Name the WAL files that a backup from `start` on `start_timeline` up to `stop` needs. `control` was read after the backup's
/// end; the history of a timeline that began meanwhile is read from pg_wal. Errors: wrong_state when the standby that was backed
/// up was promoted; those of TimelineHistory::segments_between, parse_timeline_history and read_file.
Result<BackupWal> name_backup_wal(const std::filesystem::path& data_directory, const ControlFile& control, bool from_standby,
                                  TimelineId start_timeline, Lsn start, Lsn stop);

/// What is done between two looks.
struct WalWaitCallbacks {
    /// Before the first look for `name` in a repository.
    std::function<void(const std::string& name)> waiting_for;
    /// After each look that found nothing, `waited` after the first one for this name. An error ends the wait.
    std::function<Result<void>(const std::string& name, std::chrono::milliseconds waited)> still_waiting;
};

/// Wait until every one of `names` is in every repository. Looks again after 50 ms, then at growing intervals up to a second: what
/// stores WAL may be another process, and the repository is the only witness. Errors: as Storage::stat; cancelled; what
/// `still_waiting` returned.
Result<void> wait_for_wal(std::span<const std::string> names, std::span<const Repository> repositories, RetryTimer& timer,
                          const WalWaitCallbacks& callbacks, const CancelToken& cancel);

/// Return the error missing_wal if the gap ledger of a repository without the segment `name` says that it was given up: it never will be
/// stored. Errors: as GapLedger::read and Storage::stat.
Result<void> check_not_given_up(std::span<const Repository> repositories, const std::string& name);

/// Return the error wrong_state if a standby of this control file was promoted: WAL of its old timeline that is not stored yet
/// never will be.
Result<void> check_not_promoted(const ControlFile& control, bool from_standby);

}  // namespace steward
