// Whether a cluster can be upgraded, found out without changing it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"
#include "core/upgrade/catalog_checks.h"
#include "core/upgrade/finding.h"
#include "core/upgrade/transfer_method.h"

namespace steward {

struct UpgradeCheckInputs {
    std::filesystem::path data_directory;
    int to = 0;                         ///< the new major
    std::filesystem::path bindir;       ///< of the old programs, empty: found out
    std::filesystem::path new_bindir;   ///< of the new programs, empty: beside the old ones
    std::filesystem::path config_file;  ///< empty: found out
    std::string username;               ///< to connect to a running server as, empty: the superuser that initdb made
};

struct UpgradeCheckReport {
    std::filesystem::path data_directory;
    UpgradeHop hop;
    std::filesystem::path bindir, new_bindir;
    bool running = false;
    std::vector<UpgradeFinding> findings;  ///< the heaviest first
    std::vector<MethodVerdict> methods;    ///< empty when it was not got so far as to judge them
    std::optional<bool> pg_upgrade;        ///< what "pg_upgrade --check" thinks; nothing when it was not asked

    size_t count_of(FindingWeight weight) const;
    bool can_upgrade() const { return count_of(FindingWeight::kObstacle) == 0; }
};

/// Find everything that is in the way of an upgrade at once. A running server is asked by psql and goes on; without one single-user mode
/// is, which leaves the cluster as after a clean shutdown, and pg_upgrade --check besides. As root, becomes the owner of the data directory
/// for good. Errors: usage when `to` is no upgrade; not_found without the new programs; wrong_version; permission_denied; server_raised;
/// cancelled.
Result<UpgradeCheckReport> check_upgrade(const UpgradeCheckInputs& inputs, RetryTimer& timer, const CancelToken& cancel);

/// Find the programs of the new major: in `asked`, or when that is empty beside `old_bindir`. Runs "postgres --version". Errors: usage when
/// that is not newer; not_found; wrong_version.
Result<std::filesystem::path> find_new_bindir(const std::filesystem::path& asked, const std::filesystem::path& old_bindir, const UpgradeHop& hop);

/// "/usr/lib/postgresql/15/bin" and a hop from 15 to 18 make "/usr/lib/postgresql/18/bin", and so for other layouts that have the major as a
/// directory. Pure.
std::filesystem::path sibling_bindir(const std::filesystem::path& bindir, const UpgradeHop& hop);

/// The page for people, and one JSON object.
std::string render_upgrade_check(const UpgradeCheckReport& report);
std::string render_upgrade_check_json(const UpgradeCheckReport& report);

}  // namespace steward
