// The evidence and the decision of a preseed, for people and for programs.
#pragma once

#include <string>
#include <vector>

#include "core/preseed/plan_seed.h"

namespace steward {

struct SeedReport {
    SeedEvidence evidence;
    std::vector<RepositoryEvidence> repositories;
    SeedDecision decision;
    std::string restore_plan;       ///< kRestore: render_plan, or render_plan_json
    bool dry_run = false;
};

/// What was seen and is decided; without a dry run what was seen is left out.
std::string render_seed(const SeedReport& report);

/// One JSON object and a newline. `restore_plan` is JSON or empty.
std::string render_seed_json(const SeedReport& report);

}  // namespace steward
