// WAL that expiry takes out of the middle: what has to be written down before it goes.
//
// WAL before every kept backup is missed by nobody. But between two kept backups it leaves a hole: from the first, recovery gets no further
// than the hole, and whoever looks has to be told that it was meant. Such ranges are recorded, neighbours as one.
#pragma once

#include <cstdint>
#include <vector>

#include "core/retention/plan_expiry.h"

namespace steward {

/// Segments of one timeline.
struct PrunedRange {
    TimelineId timeline = 0;
    uint64_t first = 0;
    uint64_t last = 0;

    auto operator<=>(const PrunedRange&) const = default;
};

struct PrunedRecords {
    std::vector<PrunedRange> record;    ///< to be written before anything is removed
    std::vector<PrunedRange> withdraw;  ///< records that the new ones replace, or that nobody needs any more; after everything else
};

/// Plan the records of pruned WAL for `plan`, made of `facts` with `policy`. `recorded` are those that are there. Executed or interrupted
/// anywhere and planned again, the result is the same: every segment that was pruned after a kept backup is recorded, and no stored segment
/// that stays is. Pure.
PrunedRecords plan_pruned_records(const ExpiryFacts& facts, const RetentionPolicy& policy, const ExpiryPlan& plan,
                                  const std::vector<PrunedRange>& recorded);

}  // namespace steward
