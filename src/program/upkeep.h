// Jobs: long or rare work that touches repositories. A worker of the server starts each in an engine of its own.
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
#include "core/base/result.h"
#include "core/protocol/messages.h"
#include "core/repository/repository.h"
#include "core/settings/settings.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// How far a job is. Thread-safe.
struct UpkeepProgress {
    std::atomic<uint64_t> done{0};
    std::atomic<uint64_t> total{0};

    void enter(std::string phase) {
        const std::lock_guard lock(mutex_);
        phase_ = std::move(phase);
    }
    std::string phase() const {
        const std::lock_guard lock(mutex_);
        return phase_;
    }

private:
    mutable std::mutex mutex_;
    std::string phase_;  // guarded by mutex_
};

/// What a job works with. Lives as long as the job.
struct UpkeepContext {
    const ConfigureMessage& configuration;
    const Settings& settings;
    std::span<const Repository> repositories;
    const Clock& clock;
    RetryTimer& timer;
    Log& log;
    UpkeepProgress& progress;
    CancelToken cancel;
};

/// What a job did.
struct UpkeepResult {
    Json report;          ///< one object; {"rows": [...]} where the SQL function returns a table
    std::string summary;  ///< one clause
    uint64_t bytes = 0;   ///< read, written or removed
};

/// Remove what the retention policy does not keep, from each repository by itself. Options: {"dry_run": bool}.
/// Rows: repository, kind, name, verdict, bytes, reason. Errors: as expire_repository; the first one, when every repository was tried.
Result<UpkeepResult> run_expire_job(const UpkeepContext& context, const Json& options);

/// Keep a backup or let it go. Options: {"label": text, "keep": bool, "note": text or null}. Rows: repository, label, kept.
/// Errors: invalid_argument, as keep_backup.
Result<UpkeepResult> run_keep_job(const UpkeepContext& context, const Json& options);

}  // namespace steward
