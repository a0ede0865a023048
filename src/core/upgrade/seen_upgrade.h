// An upgrade as whoever is about to start a server sees it: whether it leaves a cluster that may be started.
#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/restore/target_directory.h"
#include "core/upgrade/plan_upgrade.h"
#include "core/upgrade/upgrade_step.h"

namespace steward {

/// What the journal beside a data directory tells, and what is at the data directory's path.
struct SeenUpgrade {
    std::filesystem::path data_directory;  ///< where it is now
    std::filesystem::path work_directory;
    UpgradeRequest request;
    UpgradeState state = UpgradeState::kNotBegun;
    std::string reason;              ///< a full sentence, may be empty
    int major = 0;                   ///< of the cluster at the data directory's path; 0: none
    bool at_work = false;            ///< a process is at it
    std::optional<FileOwner> owner;  ///< of the work directory

    /// Whether it has come to an end, and has left the new cluster where it belongs. A commit removes nothing of that one.
    bool has_upgraded() const { return (state == UpgradeState::kUpgraded || state == UpgradeState::kCommitting) && major == request.target(); }
    /// Whether a server may be started on what is at the data directory's path, and a missing cluster be brought back there: the work directory
    /// holds nothing that is needed. While a process is at work this is for that process to say.
    bool is_out_of_the_way() const;
};

/// Why no server may be started, and what to type. `how_to_resume` is what goes on with it beside "pg_steward upgrade run", or empty. Codes: busy
/// while a process is at work; wrong_state. Pure.
Error upgrade_in_the_way(const SeenUpgrade& upgrade, const std::string& how_to_resume = {});

/// What is still to be done for one that is out of the way: a full sentence. Pure.
std::string describe_rest(const SeenUpgrade& upgrade);

}  // namespace steward
