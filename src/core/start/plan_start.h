// What `pg_steward start` does before the server runs, and in which order: request and evidence in, steps out, no I/O.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/preseed/seed_evidence.h"
#include "core/restore/target_directory.h"
#include "core/start/start_request.h"

namespace steward {

/// What is known before anything is changed.
struct StartEvidence {
    SeedEvidence directory;
    std::optional<pid_t> server;           ///< a process that works in the data directory
    bool server_is_left = false;           ///< an upgrade that was killed has left it, and ends it when it goes on
    uid_t user = 0;                        ///< of this process; 0 is root
    std::optional<FileOwner> asked_owner;  ///< whom --owner names
    std::filesystem::path bindir;          ///< of the programs that are to run
    int programs_major = 0;
    std::optional<std::filesystem::path> old_bindir;  ///< of the programs of the cluster's own major, when that is an older one and they were found
};

/// In the order in which they are done.
enum class StartStepKind { kTakeDirectory, kPermissions, kBecomeOwner, kPreseed, kUpgrade, kPassword, kServer };

/// "directory", "permissions", "user", "preseed", "upgrade", "password", "server".
std::string_view to_string(StartStepKind kind);

struct StartStep {
    StartStepKind kind;
    bool is_due = false;
    std::string reason;  ///< a full sentence
};

struct StartPlan {
    std::vector<StartStep> steps;    ///< one of each kind
    std::optional<FileOwner> owner;  ///< as root: whom the server runs as
    bool fixes_permissions = false;  ///< the permissions are changed; otherwise checked
    bool password_is_for_new_cluster = false;  ///< it is that of the superuser, should preseed make a new cluster
    bool resumes_upgrade = false;    ///< kUpgrade goes on with the one that the journal tells of

    bool is_due(StartStepKind kind) const;
};

/// Plan a start. Refuses before anything is changed: busy when a server runs; usage or wrong_state as root when the server's user is not known;
/// permission_denied for another user than the owner; wrong_version when programs, asked version and cluster differ and no upgrade is allowed or
/// possible, or when an upgrade under way is to another major than the programs'; usage when it has another method; not_found for an upgrade
/// without the old programs; wrong_state for one that cannot be, and when a password is to be set in a cluster that is yet to be restored; as
/// decide_seed where what repositories hold has no say. Pure.
///
/// While an upgrade is under way, only that is gone on with, if it is allowed: preseed, which might take what is in the making for nothing, does
/// not have a look.
Result<StartPlan> plan_start(const StartRequest& request, const StartEvidence& evidence);

/// The command line of the server, the program first. `config_file` is the postgresql.conf outside the data directory, if there is one. Pure.
std::vector<std::string> server_command(const std::filesystem::path& bindir, const std::filesystem::path& data_directory,
                                        const std::optional<std::filesystem::path>& config_file, const std::vector<std::string>& options);

}  // namespace steward
