// Where recovery is to stop, and how the server is told.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/configuration.h"
#include "core/postgres/lsn.h"
#include "core/postgres/wal_name.h"

namespace steward {

enum class TargetKind { kLatest, kImmediate, kTime, kXid, kName, kLsn };
enum class TargetBound { kInclusive, kExclusive };
enum class TargetAction { kPause, kPromote, kShutdown };

/// Which timeline recovery follows.
struct TimelineChoice {
    enum class Kind { kLatest, kCurrent, kNumber };
    Kind kind = Kind::kLatest;  ///< kCurrent: the one on which the backup was taken
    TimelineId number = 0;      ///< kNumber only
};

/// Parse "latest", "current" or a timeline number. Errors: invalid_argument.
Result<TimelineChoice> parse_timeline_choice(std::string_view text);

/// A recovery target, in PostgreSQL's terms (recovery_target_* settings).
struct RecoveryTarget {
    TargetKind kind = TargetKind::kLatest;
    TimePoint time{};    ///< kTime
    uint64_t xid = 0;    ///< kXid; the server compares the low 32 bits
    std::string name{};  ///< kName, 1 to 63 bytes
    Lsn lsn{};           ///< kLsn
    TargetBound bound = TargetBound::kInclusive;  ///< kTime, kXid, kLsn
    TargetAction action = TargetAction::kPause;   ///< all but kLatest
    TimelineChoice timeline{};
};

/// "end of the WAL", "time 2026-11-20T11:04:43Z", "restore point \"before upgrade\"": for sentences.
std::string describe(const RecoveryTarget& target);

/// The word PostgreSQL has for it: "pause", "promote", "shutdown".
std::string_view to_string(TargetAction action);

/// Every setting of the server that names a target, of which at most one may be set.
inline constexpr std::string_view kTargetSettings[] = {"recovery_target", "recovery_target_time", "recovery_target_xid", "recovery_target_name",
                                                       "recovery_target_lsn"};

/// What a standby is told beside its restore_command.
struct StandbySettings {
    std::string primary_conninfo;  ///< empty: it follows the repository alone
    std::string slot;              ///< on the primary; may be empty
};

/// Check what the operator gave. Errors: invalid_argument for a name that no replication slot can have, as check_connection_string;
/// usage for a slot without a connection.
Result<void> check_standby(const StandbySettings& standby);

/// What recovery does with WAL that changes a page which is not there.
enum class InvalidPages {
    kRefuse,  ///< PANIC: the backup or its WAL is damaged
    kIgnore,  ///< warn and go on, as databases need that were left out
};

/// What a restored data directory's recovery is told.
struct RecoverySettings {
    RecoveryTarget target;
    std::string timeline;         ///< value of recovery_target_timeline: "latest", "current" or a number
    std::string restore_command;  ///< as the server runs it, with its own escapes
    std::optional<StandbySettings> standby = {};  ///< then there is no target
    InvalidPages invalid_pages = InvalidPages::kRefuse;
};

/// Return the new content of postgresql.auto.conf, whose former content is `automatic`.
///
/// No target that was set before survives. One that `elsewhere`, the settings of postgresql.conf, still sets is overridden
/// with an empty value, which has to stand before the wanted one: up to 15 the server takes any assignment after the first
/// target for a second target (assign_recovery_target_* in guc.c). For a standby, connection and slot that were set before go in the
/// same way, since they were another server's: two standbys on one slot fail. ignore_invalid_pages of an earlier restore goes unless
/// this one needs it. All other lines stay as they are. Pure.
std::string configure_recovery(std::string_view automatic, const ServerConfiguration& elsewhere, const RecoverySettings& settings);

/// What the server needs to run this program's wal-get.
struct WalGetCommand {
    std::string program;       ///< absolute path
    std::string repositories;  ///< as parse_repository_list reads it
    std::string cluster;
    std::optional<uint32_t> timeline = {};  ///< that recovery follows, where it is fixed
    std::optional<uint64_t> system_identifier = {};  ///< whose WAL it is, when it is not that of who has the cluster's name now
};

/// Render restore_command: quoted for the shell, with percent signs doubled for the server. Pure.
std::string render_restore_command(const WalGetCommand& command);

}  // namespace steward
