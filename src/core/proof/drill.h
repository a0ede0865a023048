// A restore drill: what is decided about it, and what is recorded of it. Running its processes is the program's work.
//
// The scratch server is a copy of the real one on the same host, so it is kept from everything it could do to the real one or to the
// world: it archives nothing, listens nowhere, runs no background worker (that of a job scheduler would run jobs, a subscription's
// would advance its publisher), writes no file outside its directory, and serves nobody else.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/wal_name.h"
#include "core/repository/repository.h"
#include "core/restore/restore_plan.h"

namespace steward {

/// How the server whose backups are drilled was started.
struct RunningServer {
    std::filesystem::path program;                     ///< absolute path of its postgres program
    std::optional<std::filesystem::path> config_file;  ///< where the command line names one outside the data directory
};

/// Parse the content of postmaster.opts: the program, then every argument in double quotes (CreateOptsFile in postmaster.c).
/// Errors: corrupt_object. Pure.
Result<RunningServer> parse_postmaster_opts(std::string_view text);

/// Files of a scratch server; all absolute.
struct ScratchServerFiles {
    std::filesystem::path program;  ///< postgres
    std::filesystem::path data_directory;
    std::filesystem::path socket_directory;
    std::filesystem::path hba_file;
    std::filesystem::path ident_file;
    std::optional<std::filesystem::path> config_file;  ///< where postgresql.conf is not in the data directory
};

/// Return the command line of the scratch server, the program first: the restored configuration with what a drill overrides. Pure.
std::vector<std::string> scratch_server_command(const ScratchServerFiles& files);

/// Content of the scratch server's pg_hba.conf: whoever gets at its socket, which is the server's own user, is let in.
std::string_view scratch_hba();

/// Bytes that must be free to carry out `plan`: the data, the WAL that comes with it, and some to recover with. Pure.
uint64_t drill_space_needed(const RestorePlan& plan);

/// Check that `directory` has `needed` free bytes. Errors: no_space with a hint; by errno.
Result<void> check_drill_space(const std::filesystem::path& directory, uint64_t needed);

/// Where recovery ended.
struct RecoveryEnd {
    TimelineId timeline = 0;  ///< that the scratch server made of its own; never archived
    Lsn lsn;                  ///< end of the WAL that was recovered
};

/// Find where recovery ended in a data directory that was promoted: in the newest timeline's history. Errors: not_found,
/// corrupt_object, by errno.
Result<RecoveryEnd> find_recovery_end(const std::filesystem::path& data_directory);

/// How a drill went.
struct DrillRecord {
    TimePoint time;                  ///< when it began
    std::string backup;              ///< label
    std::optional<Error> failure;    ///< nothing: it succeeded
    std::string phase;               ///< in which it failed; empty when it succeeded
    uint64_t data_bytes = 0;         ///< restored
    TimelineId timeline = 0;         ///< that was recovered
    std::optional<Lsn> recovered;    ///< end of the WAL that was recovered
    std::string last_transaction;    ///< commit time of the last one, RFC 3339; empty when none was replayed
    std::chrono::duration<double> restore{0}, recovery{0}, checks{0};
    std::string server_version;
    std::string query;               ///< the operator's; empty when there is none
};

/// One JSON object, without a newline; what is not known is left out.
std::string render_drill(const DrillRecord& record);

/// What a record tells at a glance.
struct DrillOutcome {
    TimePoint time;
    std::string backup;
    std::string failure;  ///< empty: it succeeded
};

/// Parse what render_drill wrote. Errors: corrupt_object.
Result<DrillOutcome> parse_drill(std::string_view content);

/// The newest record of a repository; nothing when there is none. Errors: as Storage::list and Repository::load; corrupt_object.
Result<std::optional<DrillOutcome>> load_last_drill(const Repository& repository);

/// So many records stay in a repository: years of a drill a day.
inline constexpr size_t kKeptDrills = 1000;

/// Store the record under a name of its own. Durable on return. Of all that are there the newest kKeptDrills stay; that older ones
/// cannot be removed is no error. Errors: as Repository::store.
/// @param random  of another value for every drill: two drills may begin within one second
Result<void> store_drill(const Repository& repository, const DrillRecord& record, uint64_t random);

}  // namespace steward
