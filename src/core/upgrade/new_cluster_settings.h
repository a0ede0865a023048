// What the new cluster must have set for pg_upgrade to take it, and for its server to start with what was carried over.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/upgrade/catalog_checks.h"
#include "core/upgrade/cluster_facts.h"

namespace steward {

/// What of a cluster needs room in the configuration of the new one.
struct ReplicationFacts {
    int logical_slots = 0;
    int subscriptions = 0;
    std::string output_plugins;  ///< output_plugin_libraries, where it is set

    bool operator==(const ReplicationFacts&) const = default;
};

ReplicationFacts replication_of(const OldClusterFacts& old);

struct WantedSetting {
    std::string name, value;
    bool is_limit = false;  ///< a number; a larger one is as good

    /// Whether a server that shows `shown` has what is wanted.
    bool is_met_by(std::string_view shown) const;
    /// "name = value", for postgresql.conf.
    std::string line() const;
};

/// Room for slots and subscriptions that pg_upgrade carries over in `hop`. A minor need not know output_plugin_libraries. Pure.
std::vector<WantedSetting> wanted_for_replication(const ReplicationFacts& replication, const UpgradeHop& hop);

/// Return lines for the new cluster's postgresql.conf: room for slots and subscriptions that are carried over, and of the libraries that the
/// old server loads at its start those that extensions have functions in, because some refuse to be loaded later. Pure.
std::vector<std::string> settings_for_pg_upgrade(const OldClusterFacts& old, const NewMajorFacts& offered, const UpgradeHop& hop);

}  // namespace steward
