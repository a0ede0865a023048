// A cluster whose server is down, and which is to be worked on by single-user mode.
#pragma once

#include <filesystem>

#include "core/base/result.h"
#include "core/postgres/pg_control.h"
#include "core/restore/target_directory.h"
#include "program/single_user/single_user_command.h"

namespace steward {

struct OfflineCluster {
    std::filesystem::path data_directory;  ///< absolute, symbolic links resolved
    FileOwner owner;
    int major = 0;
    ControlFile control;

    /// Otherwise a server recovers it before it does anything else.
    bool was_shut_down() const { return control.state == ClusterState::kShutDown; }
};

/// Look at a cluster, whatever state it and its server are in; changes nothing. Errors: not_found; permission_denied when neither root nor the
/// directory's owner asks; those of read_control_file.
Result<OfflineCluster> look_at_cluster(const std::filesystem::path& data_directory);

/// Look at a cluster and find out whether single-user mode may work on it; changes nothing. Errors: as look_at_cluster; busy
/// when a server runs in it; wrong_state when it is a standby, has recovery before it that single-user mode cannot do, or is what a restore
/// has not finished.
Result<OfflineCluster> inspect_offline_cluster(const std::filesystem::path& data_directory);

/// As root, become the directory's owner for good, as PostgreSQL's programs and the files they make need it; for others nothing happens.
/// Leaves the current directory, which the owner may not see, for "/". Errors: by errno.
Result<void> become_owner(const OfflineCluster& cluster);

/// Find the cluster's program and configuration. Runs "postgres --version": call become_owner before. `bindir` and `config_file` are the
/// operator's, absolute or empty. Errors: wrong_version; not_found.
Result<SingleUserServer> find_single_user_server(const OfflineCluster& cluster, const std::filesystem::path& bindir, const std::filesystem::path& config_file);

}  // namespace steward
