// An upgrade as a whole: begun or resumed, taken back, made final, and told about.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"
#include "core/upgrade/plan_upgrade.h"
#include "core/upgrade/seen_upgrade.h"
#include "program/upgrade/upgrade_check.h"
#include "program/upgrade/work_directory.h"

namespace steward {

/// What the parts of an upgrade use of the process.
struct UpgradeSurroundings {
    const Clock& clock;
    RetryTimer& timer;
    CancelToken cancel;
    std::function<void(const std::string&)> say;  ///< a line for whoever looks on
    std::function<void(const UpgradeCheckReport&)> found = {};  ///< what a check before a hop has found; may be empty
    std::function<void()> grown = {};  ///< called whenever what is on disk may be more than it was at the call before; may be empty
};

struct UpgradeRunInputs {
    std::filesystem::path data_directory;              ///< absolute
    std::vector<int> path;                             ///< majors; may be empty when an upgrade is under way
    std::optional<TransferMethod> method;              ///< nothing: the best that leaves the old cluster as it is
    std::filesystem::path bindir;                      ///< of the old programs, empty: found out
    std::vector<std::filesystem::path> new_bindirs;    ///< one for each of `path`, or for the last alone; empty: beside the old ones
    std::filesystem::path config_file;                 ///< empty: found out
    std::optional<bool> statistics;                    ///< nothing: yes
    int jobs = 1;
    bool dry_run = false;
};

/// Run an upgrade to its end, or go on with one that was interrupted. As root, becomes the owner of the data directory for good. Errors: wrong_state
/// when something is in the way, or when the upgrade that the journal tells of has to be rolled back or committed first; busy when a server or
/// another run is at work; usage when the request is not that of the upgrade under way; no_space; those of the steps. After an error nothing is
/// lost: the upgrade can be resumed or rolled back.
Result<void> run_upgrade(const UpgradeRunInputs& inputs, const UpgradeSurroundings& surroundings);

struct UpgradeUndoInputs {
    std::filesystem::path data_directory;  ///< absolute
    bool discard_changes = false;          ///< rollback: even when the new cluster was used
    bool dry_run = false;
};

/// Bring the old cluster back and remove what was made, or finish doing that. Errors: wrong_state when there is nothing to roll back, when the
/// commit has begun, or when changes would be lost; busy when a server runs in the data directory; by errno.
Result<void> roll_upgrade_back(const UpgradeUndoInputs& inputs, const UpgradeSurroundings& surroundings);

/// Remove the old cluster and the work directory, or finish doing that. The new server may run. After a rollback, removes what that has kept.
/// Errors: wrong_state when the upgrade has not been finished; by errno.
Result<void> commit_upgrade(const UpgradeUndoInputs& inputs, const UpgradeSurroundings& surroundings);

/// What is known of the upgrade of a data directory.
struct UpgradeStatus {
    UpgradePlaces places;
    std::optional<UpgradeRequest> request;
    UpgradeStanding standing;
    std::vector<JournalEntry> run;  ///< the journal since the upgrade began
    bool at_work = false;           ///< a process is at it
};

/// Find out. Changes nothing. Errors: those of UpgradeJournal::read and see_cluster.
Result<UpgradeStatus> read_upgrade_status(const std::filesystem::path& data_directory);

/// The same for whoever wants to start a server; nothing when no journal tells of an upgrade. `data_directory` is as resolve_data_directory has it,
/// and need not be there. Errors: as read_upgrade_status.
Result<std::optional<SeenUpgrade>> see_upgrade(const std::filesystem::path& data_directory);

/// A page for people, and one JSON object.
std::string render_upgrade_status(const UpgradeStatus& status);
std::string render_upgrade_status_json(const UpgradeStatus& status);

/// The data directory without symbolic links; it need not be there, which may be so in the middle of an exchange. Errors: not_found.
Result<std::filesystem::path> resolve_data_directory(const std::filesystem::path& directory);

/// As root, become the owner of the data directory, or of the work directory beside it. Errors: not_found; permission_denied; by errno.
Result<void> become_owner_of(const UpgradePlaces& places);

}  // namespace steward
