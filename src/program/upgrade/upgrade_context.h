// What every step of an upgrade is given.
#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"
#include "core/upgrade/initdb_arguments.h"
#include "core/upgrade/new_cluster_settings.h"
#include "core/upgrade/upgrade_step.h"
#include "program/upgrade/private_server.h"
#include "program/upgrade/work_directory.h"

namespace steward {

/// What was read of the old cluster while it could be asked, and is needed when it cannot be any more.
struct UpgradeFacts {
    ClusterTraits traits;
    std::vector<std::string> databases;  ///< without template0
    std::string preload;                 ///< shared_preload_libraries without pg_steward
    ReplicationFacts replication;
};

/// Errors: by errno.
Result<void> write_facts(const UpgradeFacts& facts, const std::filesystem::path& file);
/// Errors: corrupt_object; by errno.
Result<UpgradeFacts> read_facts_file(const std::filesystem::path& file);

struct UpgradeContext {
    UpgradePlaces places;
    UpgradeRequest request;
    std::filesystem::path sockets;
    std::function<void(const std::string&)> say;  ///< a line for whoever looks on
    RetryTimer& timer;
    const CancelToken& cancel;
    std::function<void()> grown = {};  ///< as UpgradeSurroundings::grown

    /// The cluster that hop `hop` makes; that of hop 0 is the one in the data directory.
    std::filesystem::path cluster_of(int hop) const { return hop == 0 ? places.data_directory : places.cluster_of(request.path[static_cast<size_t>(hop - 1)]); }
    int major_of(int hop) const { return hop == 0 ? request.from : request.path[static_cast<size_t>(hop - 1)]; }
    const std::filesystem::path& bindir_of(int hop) const { return request.bindirs[static_cast<size_t>(hop)]; }
    std::filesystem::path config_of(int hop) const { return hop == 0 ? request.config_file : cluster_of(hop) / "postgresql.conf"; }
    /// "logs/18-pg_upgrade.log"
    std::filesystem::path log_of(int hop, std::string_view what) const;

    /// How a server of the cluster of `hop` is started. Writes the file that lets nobody but the owner in. Errors: by errno.
    Result<PrivateServerPlan> server_plan(int hop, const UpgradeFacts& facts) const;
};

/// Facts of a step for the journal.
using StepFacts = std::map<std::string, std::string>;

}  // namespace steward
