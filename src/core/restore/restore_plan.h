// What a restore will do, decided in full before anything is changed. The dry run prints this value, and it is executed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/restore/choose_backup.h"
#include "core/restore/database_choice.h"
#include "core/restore/restore_progress.h"
#include "core/restore/surplus.h"
#include "core/restore/target_directory.h"
#include "core/restore/target_proof.h"

namespace steward {

/// What the operator asked for.
struct RestoreOptions {
    RestoreChoice choice;
    TargetCheck check = TargetCheck::kScanWal;
    std::filesystem::path data_directory;                 ///< absolute
    std::map<std::string, std::string> tablespace_map;    ///< location at backup time -> new location
    std::optional<std::filesystem::path> tablespace_root; ///< new parent of all tablespaces that `tablespace_map` does not name
    ExistingContent existing = ExistingContent::kRefuse;
    bool is_root = false;                                 ///< whether this process is root
    std::optional<FileOwner> owner;
    std::optional<int> server_major;                      ///< of the programs that are to start the directory, where that is known
    WalGetCommand wal_get;
    std::optional<StandbySettings> standby;               ///< make a standby, which has no recovery target
    DatabaseChoice databases;
    int workers = 2;
};

struct PlannedTablespace {
    uint32_t oid = 0;
    std::string location;  ///< at backup time
    DirectoryPlan directory;
};

struct RestorePlan {
    Manifest manifest;            ///< of what is restored: databases that are left out have files without content
    std::optional<DatabaseSelection> databases;  ///< where databases were chosen
    size_t repository = 0;        ///< which one serves the manifest and is tried first for content
    std::string repository_url;
    DirectoryPlan directory;
    mode_t directory_mode = 0700;
    std::optional<FileOwner> owner;
    std::vector<PlannedTablespace> tablespaces;
    SurplusContent surplus;       ///< removed first from directories that are compared
    std::vector<std::string> wal_files;  ///< put into pg_wal: what consistency needs, and the timeline's history
    RecoverySettings recovery;
    TimelineId timeline = 0;      ///< that recovery follows
    Lsn wal_end;                  ///< end of the WAL that is there without a hole
    std::optional<std::string> wal_tail;  ///< the segment it ends in, where that was not finished
    std::optional<Lsn> target_lsn;        ///< where the target was found
    std::optional<TimePoint> target_time;
    std::vector<DamagedBackup> damaged;   ///< backups that could not be considered
    int workers = 2;
};

/// Choose the backup, prove that the target is reached, and check every directory. Changes nothing.
///
/// `repositories` are not empty and hold one cluster. Errors: as list_candidates, prove_target, decide_directory and decide_owner;
/// wrong_version when `server_major` is another one; invalid_argument for a tablespace location that cannot be used; as check_standby;
/// usage for a standby with a recovery target or without all databases; as read_databases and select_databases.
Result<RestorePlan> plan_restore(std::span<const Repository> repositories, const RestoreOptions& options, const Clock& clock,
                                 RestoreProgress& progress, const CancelToken& cancel);

/// The plan for people, several lines, at most 100 columns but for paths.
std::string render_plan(const RestorePlan& plan);

/// The plan as one JSON object.
std::string render_plan_json(const RestorePlan& plan);

/// Decide where the tablespaces of `manifest` go. Pure but for looking at the directories. Errors: as plan_restore.
Result<std::vector<PlannedTablespace>> plan_tablespaces(const Manifest& manifest, const RestoreOptions& options, const DirectoryFacts& data_directory,
                                                        const std::string& time_suffix);

}  // namespace steward
