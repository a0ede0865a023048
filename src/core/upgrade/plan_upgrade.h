// Where an upgrade stands, and what comes next: told by its journal and by what the data directory holds.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/upgrade/journal.h"

namespace steward {

/// What a directory holds.
struct SeenCluster {
    int major = 0;                   ///< 0: no cluster
    bool disabled = false;           ///< its control file was put out of the way by pg_upgrade: it must not be started any more
    uint64_t system_identifier = 0;  ///< 0 when disabled
    /// Something else whenever a server has run on it: position of the last checkpoint, state and time of the control file. "disabled" then.
    std::string mark;
};

enum class UpgradeState {
    kNotBegun,
    kUnderWay,      ///< can be resumed, and rolled back
    kMustRollBack,  ///< cannot be resumed
    kUpgraded,      ///< not committed
    kRollingBack,   ///< the rollback has to be finished
    kRolledBack,
    kCommitting,    ///< the commit has to be finished
};

/// "not begun", "can be resumed", "must be rolled back", "upgraded, not committed", "rollback to be finished", "rolled back", "commit to be
/// finished".
std::string_view name_of(UpgradeState state);

struct UpgradeStanding {
    UpgradeState state = UpgradeState::kNotBegun;
    std::optional<StepOfHop> next;        ///< kUnderWay: what a run does now
    std::string reason;                   ///< a full sentence, may be empty
    std::optional<JournalEntry> failure;  ///< the last thing that happened, if that was a failure
    bool used_since = false;              ///< the new cluster is in place, and a server has run on the new cluster since the exchange
};

/// Judge one run (last_run) by what is at the data directory's path. Pure.
///
/// Whatever the run got to, `next` is safe: nothing is transferred before what is lost by it is preserved; a transfer that did not finish, or
/// whose old cluster was used since, is made again from the beginning; nothing is exchanged that was not compared.
UpgradeStanding judge_upgrade(std::span<const JournalEntry> run, const SeenCluster& data_directory);

}  // namespace steward
