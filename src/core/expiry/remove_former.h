// Removing what is left of a cluster that had a name in the repository before, as before a major upgrade. Never done by itself.
#pragma once

#include <cstdint>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/repository/lease.h"
#include "core/repository/repository.h"

namespace steward {

struct FormerRemovalOptions {
    bool dry_run = false;  ///< count only: takes no lease and writes nothing
    const Clock& clock;
    RetryTimer& timer;     ///< for the lease
    CancelToken cancel = {};
};

/// What was removed, or would be.
struct FormerRemoval {
    uint64_t objects = 0;
    uint64_t bytes = 0;
    uint64_t backups = 0;
};

/// Remove everything that is `former`'s but its identity, manifests first: what an interruption leaves is removed by the next run.
/// `in_force` is the part of the same store of who has the name now. Errors: invalid_argument when both are one; wrong_state when the one in
/// force has no backup yet, or when backups are kept by pins; busy while somebody is at work on it; cancelled; as Storage::list and remove.
Result<FormerRemoval> remove_former_system(const Repository& former, const Repository& in_force, const FormerRemovalOptions& options);

}  // namespace steward
