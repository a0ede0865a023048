// A plan as text.
#pragma once

#include <string>
#include <vector>

#include "core/retention/leftovers.h"
#include "core/retention/plan_expiry.h"

namespace steward {

/// One row of what a user is shown.
struct ExpiryRow {
    enum class Kind { kBackup, kPacks, kWal, kOther };
    Kind kind = Kind::kBackup;
    std::string label;   ///< a backup's label, "3 packs", a segment's name or "FIRST to LAST", or "2 restore points"
    Verdict verdict = Verdict::kKeep;
    std::string reason;  ///< all reasons, separated by "; "
    uint64_t stored_bytes = 0;  ///< 0 for backups, whose content is in packs
};

/// "keep", "remove".
std::string_view to_string(Verdict verdict);

/// Explain a plan: one row a backup, one for all packs with the same reason, one a range of WAL, each in the plan's order. Pure.
std::vector<ExpiryRow> explain(const ExpiryPlan& plan);

/// Explain what goes with it: one row a kind. Pure.
std::vector<ExpiryRow> explain(const std::vector<Leftover>& leftovers);

}  // namespace steward
