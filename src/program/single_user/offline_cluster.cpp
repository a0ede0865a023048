#include "program/single_user/offline_cluster.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>
#include <string>
#include <system_error>
#include <vector>

#include "core/base/format.h"
#include "core/postgres/database_list.h"
#include "core/postgres/pg_version.h"
#include "core/postgres/relation_map.h"
#include "core/postgres/shared_catalog.h"
#include "program/become_user.h"
#include "program/server_programs.h"
#include "program/server_version.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

Result<FileOwner> check_owner(const fs::path& directory) {
    struct stat st;
    if (::stat(directory.c_str(), &st) != 0)
        return Error::from_errno(errno, formatted("could not look at data directory \"{}\"", directory.native())).object(directory.native());
    if (!S_ISDIR(st.st_mode))
        return Error(ErrorCode::invalid_argument, formatted("\"{}\" is not a directory", directory.native())).object(directory.native());
    if (st.st_uid == 0)
        return Error(ErrorCode::wrong_state, formatted("data directory \"{}\" belongs to root", directory.native()))
            .detail("PostgreSQL refuses to run as root.")
            .hint("Give the directory and all that is in it to the server's user.")
            .object(directory.native());
    if (::geteuid() == 0 || ::geteuid() == st.st_uid) return FileOwner{st.st_uid, st.st_gid};
    const std::string owner = name_of_user(st.st_uid);
    return Error(ErrorCode::permission_denied, formatted("data directory \"{}\" belongs to user \"{}\"", directory.native(), owner))
        .detail(formatted("This runs as user \"{}\".", name_of_user(::geteuid())))
        .hint(formatted("Run it as that user (\"sudo -u {} pg_steward ...\") or as root.", owner))
        .object(directory.native());
}

Error wrong_state(const fs::path& directory, std::string_view why) {
    return Error(ErrorCode::wrong_state, formatted("single-user mode cannot work on data directory \"{}\"", directory.native()))
        .detail(std::string(why))
        .object(directory.native());
}

bool has_file(const fs::path& directory, std::string_view name) {
    std::error_code problem;
    return fs::exists(directory / name, problem);
}

Result<void> check_signals(const fs::path& directory) {
    if (has_file(directory, kRestoreMarker))
        return wrong_state(directory, "A restore into it has not finished.").hint("Run \"pg_steward restore\" again to finish it, then start the server once.");
    if (has_file(directory, "standby.signal"))
        return wrong_state(directory, "It is a standby: it has a \"standby.signal\".")
            .hint("What is changed belongs on the primary, which the standby follows. If this is to be a primary from now on, start it and promote it first.");
    if (has_file(directory, "recovery.signal"))
        return wrong_state(directory, "Recovery from an archive is before it, which single-user mode cannot do: it has a \"recovery.signal\".")
            .hint("Start the server and let recovery end first.");
    return {};
}

Result<void> check_recovery(const OfflineCluster& cluster) {
    const ClusterState state = cluster.control.state;
    if (state != ClusterState::kShutDownInRecovery && state != ClusterState::kInArchiveRecovery) return {};
    return wrong_state(cluster.data_directory, formatted("Its last server was a standby or recovered from an archive (\"{}\"), and its signal file is gone.", to_string(state)))
        .hint("Put \"standby.signal\" back if it is a standby. Else start the server with \"recovery.signal\" and let recovery end first.");
}

/// A database to work in: template1, or the oldest one where that is gone. Connections to it need not be allowed.
std::string find_database(const fs::path& directory) {
    const std::string usual = SingleUserServer().database;
    const Result<Bytes> relation = read_shared_catalog(directory, kDatabaseCatalog);
    if (!relation.ok()) return usual;
    const std::vector<ListedDatabase> databases = list_databases(*relation);
    const bool is_there = std::ranges::any_of(databases, [&](const ListedDatabase& database) { return database.names.front() == usual; });
    return is_there || databases.empty() ? usual : databases.front().names.front();
}

}  // namespace

Result<OfflineCluster> look_at_cluster(const fs::path& data_directory) {
    OfflineCluster cluster;
    TRY_ASSIGN(cluster.owner, check_owner(data_directory));
    std::error_code problem;
    cluster.data_directory = fs::canonical(data_directory, problem);
    if (problem) return Error::from_errno(problem.value(), formatted("could not resolve path \"{}\"", data_directory.native())).object(data_directory.native());
    TRY_ASSIGN(cluster.major, read_pg_version(cluster.data_directory));
    TRY_ASSIGN(cluster.control, read_control_file(cluster.data_directory));
    return cluster;
}

Result<OfflineCluster> inspect_offline_cluster(const fs::path& data_directory) {
    TRY_ASSIGN(OfflineCluster cluster, look_at_cluster(data_directory));
    if (const std::optional<pid_t> server = find_running_server(cluster.data_directory))
        return Error(ErrorCode::busy, formatted("data directory \"{}\" is in use by a running server", cluster.data_directory.native()))
            .detail(formatted("Process {} works in it.", *server))
            .object(cluster.data_directory.native());
    TRY(check_signals(cluster.data_directory));
    TRY(check_recovery(cluster));
    return cluster;
}

Result<void> become_owner(const OfflineCluster& cluster) {
    if (::chdir("/") != 0) return Error::from_errno(errno, "could not change to directory \"/\"");
    return become_user(cluster.owner);
}

Result<SingleUserServer> find_single_user_server(const OfflineCluster& cluster, const fs::path& bindir, const fs::path& config_file) {
    SingleUserServer server;
    TRY_ASSIGN(const RunningServer programs, find_server_programs(bindir.empty() ? std::nullopt : std::optional(bindir), cluster.data_directory));
    server.program = programs.program;
    server.major = cluster.major;
    server.data_directory = cluster.data_directory;
    server.database = find_database(cluster.data_directory);
    TRY_ASSIGN(const int major, server_major_of(server.program.parent_path()));
    if (major != cluster.major)
        return Error(ErrorCode::wrong_version, formatted("program \"{}\" is of PostgreSQL {}, the data directory of {}", server.program.native(), major, cluster.major))
            .hint(formatted("Name the directory of PostgreSQL {}'s programs with --bindir.", cluster.major))
            .object(server.program.native());
    server.config_file = config_file;
    if (config_file.empty()) {
        TRY_ASSIGN(server.config_file, find_configuration_file(cluster.data_directory, cluster.major));
    }
    return server;
}

}  // namespace steward
