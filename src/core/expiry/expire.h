// Expiry: what a repository holds, the plan for it, and its execution.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/expiry/holdings.h"
#include "core/repository/lease.h"
#include "core/repository/repository.h"
#include "core/retention/explain_expiry.h"
#include "core/retention/plan_expiry.h"

namespace steward {

/// Called after each object that went, on the caller's thread: how many are done, and how many there are to do.
using ExpiryObserver = std::function<void(uint64_t done, uint64_t total)>;

struct ExpiryOptions {
    RetentionPolicy policy;  ///< not empty
    bool dry_run = false;    ///< plan only: takes no lease and writes nothing, so that it works on what may not be written to
    std::chrono::seconds pack_grace = std::chrono::days(1);
    std::chrono::seconds upload_grace = std::chrono::days(1);  ///< uploads older than this that never finished go
    ToLocalTime to_local;    ///< not empty; what a day is
    const Clock& clock;
    RetryTimer& timer;       ///< for the lease
    CancelToken cancel = {};
    ExpiryObserver observer = {};
};

struct ExpiryReport {
    std::vector<ExpiryRow> rows;  ///< why each thing stays or goes
    ExpiryTotals totals;
    uint64_t removed_objects = 0;  ///< 0 for a dry run
    uint64_t removed_bytes = 0;
};

/// What one run will do to a repository: the same for a dry run and one that is not.
struct ExpiryWork {
    ExpiryPlan plan;
    PrunedRecords pruned;
    std::vector<Leftover> leftovers;  ///< that go

    /// Objects to be removed.
    uint64_t removals() const;
};

/// Plan for what `holdings` says. Pure. Errors: as plan_expiry.
Result<ExpiryWork> plan_work(const Holdings& holdings, const ExpiryRules& rules);

/// Execute `work`: first what is pruned is recorded, then manifests, packs and WAL go (order_of_removal), then what belonged to them. At every
/// moment each remaining backup has all that it had. After an interruption anywhere, planning and executing again finishes it.
/// `lease` is the exclusive one, and is looked at before every removal. Returns the number of objects removed. Errors: cancelled; busy when
/// the lease was lost; as Storage::put and remove.
Result<uint64_t> execute_work(const Repository& repository, const ExpiryWork& work, const Lease& lease, const ExpiryOptions& options);

/// Remove from `repository` what the policy does not keep. Errors: configuration for an empty policy; busy while a backup or another expiry
/// runs; as read_holdings, plan_work and execute_work.
Result<ExpiryReport> expire_repository(const Repository& repository, const ExpiryOptions& options);

}  // namespace steward
