// What a repository holds of a cluster, as far as expiry has to know.
#pragma once

#include <vector>

#include "core/base/cancel.h"
#include "core/repository/catalog.h"
#include "core/repository/repository.h"
#include "core/retention/leftovers.h"
#include "core/retention/plan_expiry.h"
#include "core/retention/pruned_wal.h"

namespace steward {

struct Holdings {
    ExpiryFacts facts;                 ///< names of packs are keys after Layout::packs_prefix
    std::vector<Leftover> leftovers;   ///< all there are, without records of pruned WAL
    std::vector<PrunedRange> pruned;   ///< records of it
    std::vector<DamagedBackup> damaged;  ///< those in facts.unreadable
};

/// Read what `repository` holds. Manifests are read whole, one after the other, and only the names of their packs stay in memory: for each
/// of those that are known, and 32 bytes for a WAL segment. A manifest of which only the beginning is sound counts as a backup whose packs are
/// not known. Whoever removes on this ground holds the exclusive lease. Errors: cancelled; as Storage::list and read.
Result<Holdings> read_holdings(const Repository& repository, const CancelToken& cancel);

}  // namespace steward
