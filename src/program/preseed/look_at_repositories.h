// What each configured repository holds of a cluster, for the decision of preseed.
#pragma once

#include <optional>
#include <vector>

#include "core/base/result.h"
#include "core/preseed/plan_seed.h"
#include "core/settings/settings.h"
#include "program/open_repositories.h"

namespace steward {

struct SeenRepository {
    RepositoryEvidence evidence;
    std::optional<Repository> repository;  ///< when it was opened
};

/// Look at every repository of `settings`, in order. One that cannot be reached or read is evidence, not an error. Errors: cancelled.
Result<std::vector<SeenRepository>> look_at_repositories(const Settings& settings, const ReadingContext& context);

}  // namespace steward
