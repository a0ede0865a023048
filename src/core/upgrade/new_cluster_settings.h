// What the new cluster must have set for pg_upgrade to take it.
#pragma once

#include <string>
#include <vector>

#include "core/upgrade/catalog_checks.h"
#include "core/upgrade/cluster_facts.h"

namespace steward {

/// Return lines for the new cluster's postgresql.conf: room for slots and subscriptions that are carried over, and of the libraries that the
/// old server loads at its start those that extensions have functions in, because some refuse to be loaded later. Pure.
std::vector<std::string> settings_for_pg_upgrade(const OldClusterFacts& old, const NewMajorFacts& offered, const UpgradeHop& hop);

}  // namespace steward
