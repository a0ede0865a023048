// The jobs of the upkeep engine.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <span>
#include <string>
#include <utility>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/protocol/messages.h"
#include "core/repository/repository.h"
#include "core/settings/settings.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// How far a job is: written by the job, read by whoever shows it. Thread-safe.
struct UpkeepProgress {
    std::atomic<uint64_t> done{0};
    std::atomic<uint64_t> total{0};  ///< 0: not known

    /// Begin a phase of the job: "checking packs". Starts counting anew.
    void enter(std::string phase) {
        const std::lock_guard lock(mutex_);
        phase_ = std::move(phase);
        done = total = 0;
    }
    std::string phase() const {
        const std::lock_guard lock(mutex_);
        return phase_;
    }

private:
    mutable std::mutex mutex_;
    std::string phase_ = "opening repositories";
};

/// What a job works with; everything outlives it.
struct UpkeepContext {
    const ConfigureMessage& configuration;
    const Settings& settings;
    std::span<const Repository> repositories;  ///< in the order of the setting; opened for writing. Empty for a job that needs none
    const Clock& clock;
    RetryTimer& timer;
    Log& log;
    UpkeepProgress& progress;
    CancelToken cancel;
};

struct UpkeepResult {
    Json report;          ///< one object; {"rows": [...]} where SQL makes a table of it
    std::string summary;  ///< one clause, for steward.jobs
    uint64_t bytes = 0;   ///< read, written or removed
};

/// Check that what the repositories hold can be restored. Options: "recheck" (read everything again), "strict" (problems fail the job).
/// Rows: repository, object, problem; under "repositories" one row each with what was counted. What is found wrong is a warning too.
/// Errors: as verify_repository; when strict, the worst problem's.
Result<UpkeepResult> run_verify_job(const UpkeepContext& context, const Json& options);

/// Remove what the retention policy does not keep, from each repository by itself. Options: {"dry_run": bool}.
/// Rows: repository, kind, name, verdict, bytes, reason. Errors: the first one of expire_repository, when every repository was tried.
Result<UpkeepResult> run_expire_job(const UpkeepContext& context, const Json& options);

/// Keep a backup or let it go. Options: {"label": text, "keep": bool, "note": text or null}. Rows: repository, label, kept.
/// Errors: invalid_argument without a label; as keep_backup.
Result<UpkeepResult> run_keep_job(const UpkeepContext& context, const Json& options);

/// Record a restore point in every repository. Options: name, note (may be null or missing), timeline, lsn, time. Rows: repository,
/// recorded (false when it was already). The error of the first repository that fails is returned after all were tried. Errors:
/// invalid_argument for options without sense; as record_restore_point.
Result<UpkeepResult> run_restore_point_job(const UpkeepContext& context, const Json& options);

/// Restore a backup to a scratch directory, start it, recover, check. Options: "backup" (its label; default: the newest). The report is
/// the drill's record. Errors: as run_drill; what the drill failed with.
Result<UpkeepResult> run_drill_job(const UpkeepContext& context, const Json& options);

/// Find what is in the way of an upgrade of this server, which goes on. Options: {"target": major, "new_bindir": text or null, "username": text
/// or null}. Rows: check, weight, summary, detail, objects, cures; beside them all that "pg_steward upgrade check --output json" prints.
/// Takes no repository. Errors: invalid_argument without a target; as check_upgrade.
Result<UpkeepResult> run_upgrade_check_job(const UpkeepContext& context, const Json& options);

}  // namespace steward
