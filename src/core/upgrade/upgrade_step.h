// What an upgrade, its rollback and its commit consist of.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/upgrade/transfer_method.h"

namespace steward {

/// Each of them is found done, or can be done again, whatever an interrupted attempt left.
enum class UpgradeStep {
    // run
    kClear,        ///< nothing is left of an earlier attempt, and the old cluster is whole
    kFingerprint,  ///< what the old cluster holds is written down
    kPreserve,     ///< link, swap: the old cluster is copied, and the copy compared
    kCheck,        ///< from the second hop on: the cluster between has nothing in the way of the next hop
    kInitialize,   ///< initdb
    kConfigure,    ///< configuration and certificates are carried over
    kTransfer,     ///< pg_upgrade, or dump and restore
    kExtensions,   ///< ALTER EXTENSION UPDATE
    kCollations,   ///< what a changed collation touches is indexed anew
    kStatistics,
    kCompare,      ///< what the new cluster holds is what the old one held
    kExchange,     ///< the new cluster takes the data directory's path
    // rollback
    kBringBack,    ///< the old cluster has the data directory's path again
    kRemoveMade,   ///< what was made for the upgrade is removed, but for the logs
    // commit
    kRemoveOld,    ///< the old cluster is removed, and then the work directory
};

/// "clear", "fingerprint", ...: as in the journal.
std::string_view name_of(UpgradeStep step);
std::optional<UpgradeStep> parse_upgrade_step(std::string_view name);
/// One clause for people: "make the new cluster with initdb".
std::string_view describe(UpgradeStep step);

struct StepOfHop {
    int hop = 0;  ///< counted from 1; 0 for what concerns no hop
    UpgradeStep step = UpgradeStep::kClear;

    bool operator==(const StepOfHop&) const = default;
};

/// What one upgrade is, decided before it begins and written into the journal: every process that goes on with it does the same.
struct UpgradeRequest {
    std::filesystem::path data_directory;  ///< absolute, without symbolic links
    int from = 0;
    std::vector<int> path;  ///< majors one after another, the last is the target
    TransferMethod method = TransferMethod::kCopy;
    std::vector<std::filesystem::path> bindirs;  ///< of `from`, then of each of `path`
    std::filesystem::path config_file;           ///< the old server's
    uint64_t system_identifier = 0;              ///< of the old cluster
    bool statistics = true;
    int jobs = 1;

    int target() const { return path.back(); }
    /// From the second hop on the cluster before is our own and not wanted any more.
    TransferMethod method_of_hop(int hop) const { return hop == 1 || method == TransferMethod::kDump ? method : TransferMethod::kLink; }
    /// Whether the old cluster is lost by the transfer, so that a copy of it is made before.
    bool needs_preserving() const { return method == TransferMethod::kLink || method == TransferMethod::kSwap; }

    bool operator==(const UpgradeRequest&) const = default;
};

/// The steps of a run in their order. Pure.
std::vector<StepOfHop> steps_of(const UpgradeRequest& request);

/// "initialize", or with several hops "hop 2: initialize".
std::string name_in_run(const StepOfHop& step, const UpgradeRequest& request);

}  // namespace steward
