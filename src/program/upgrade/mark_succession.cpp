#include "program/upgrade/mark_succession.h"

#include <optional>
#include <utility>

#include "core/postgres/pg_control.h"
#include "core/postgres/pg_version.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Where its WAL ends is certain of a cluster that was shut down: the checkpoint is the last that is written, and no segment begins after it.
Result<Predecessor> describe_predecessor(const fs::path& directory) {
    Predecessor predecessor;
    TRY_ASSIGN(const ControlFile control, read_control_file(directory));
    predecessor.system_identifier = control.system_identifier;
    TRY_ASSIGN(predecessor.major, read_pg_version(directory));
    if (control.state != ClusterState::kShutDown) return predecessor;
    predecessor.timeline = control.checkpoint.timeline;
    predecessor.end = control.checkpoint_lsn;
    return predecessor;
}

}  // namespace

Result<Succession> describe_succession(const fs::path& predecessor, const fs::path& successor, const Clock& clock) {
    TRY_ASSIGN(const Predecessor last, describe_predecessor(predecessor));
    TRY_ASSIGN(const ControlFile control, read_control_file(successor));
    TRY_ASSIGN(const int major, read_pg_version(successor));
    // One that cannot be read has said nothing to the server of that cluster either.
    Result<std::optional<Succession>> before = read_succession(predecessor);
    return succeed(last, before.ok() ? *before : std::nullopt, control.system_identifier, major, clock.now());
}

Result<void> mark_succession(const fs::path& predecessor, const fs::path& successor, const Clock& clock) {
    TRY_ASSIGN(const Succession mark, describe_succession(predecessor, successor, clock));
    return write_succession(successor, mark);
}

}  // namespace steward
