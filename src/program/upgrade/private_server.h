// A server that only the upgrade can reach, on one of its clusters.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"
#include "program/child_process.h"
#include "program/upgrade/cluster_catalogs.h"
#include "program/upgrade/logged_program.h"

namespace steward {

/// A directory for sockets: `wanted`, or one below the directory for temporary files where the path of `wanted` is too long for a socket.
class SocketDirectory {
public:
    static Result<SocketDirectory> make(const std::filesystem::path& wanted);
    SocketDirectory(SocketDirectory&& other) noexcept : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}
    /// Removes it if it was made.
    ~SocketDirectory();
    const std::filesystem::path& path() const { return path_; }

private:
    SocketDirectory(std::filesystem::path path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}

    std::filesystem::path path_;
    bool temporary_ = false;
};

/// The number that the sockets of private servers have in their names. No port is opened.
inline constexpr std::string_view kPrivatePort = "50432";
inline constexpr std::string_view kSecondPrivatePort = "50433";

struct PrivateServerPlan {
    std::filesystem::path bindir;
    int major = 0;
    std::filesystem::path data_directory;
    std::filesystem::path config_file;
    std::filesystem::path hba_file;
    std::filesystem::path socket_directory;
    std::filesystem::path log;
    std::string port{kPrivatePort};
    std::string superuser;
    std::string preload;  ///< shared_preload_libraries
};

/// Settings of a server of a cluster that is being upgraded, whoever starts it: nobody else gets in, nothing of the WAL is archived or marked as
/// archived, nothing waits or acts by itself. Pure.
std::vector<std::string> private_settings(const PrivateServerPlan& plan);

class PrivateServer {
public:
    /// Start the server and wait until it accepts connections. Its processes end with this object or this process. Borrows `timer`. Errors:
    /// server_raised with the end of its log; engine_failed; cancelled; by errno.
    static Result<PrivateServer> start(const PrivateServerPlan& plan, RetryTimer& timer, const CancelToken& cancel);

    PrivateServer(PrivateServer&&) = default;
    /// Ends what still runs as a crash would; the next start recovers.
    ~PrivateServer();

    /// Run one statement in `database`. Errors: server_raised with what psql says; cancelled.
    Result<void> execute(const std::string& database, const std::string& statement, const CancelToken& cancel);
    /// Run another program of the server's release, told where the server is. `arguments` come after that. Errors: server_raised; cancelled.
    Result<void> run_client(const std::string& program, const std::vector<std::string>& arguments, const CancelToken& cancel);

    /// Its catalogs. Borrow the timer.
    std::unique_ptr<ClusterCatalogs> catalogs() const;

    /// Shut down in order: what was done is on disk. Errors: server_raised; cancelled.
    Result<void> stop(const CancelToken& cancel);

private:
    PrivateServer(PrivateServerPlan plan, ChildProcess postmaster, RetryTimer& timer) : plan_(std::move(plan)), postmaster_(std::move(postmaster)), timer_(&timer) {}

    Error ended_error(int status) const;

    PrivateServerPlan plan_;
    ChildProcess postmaster_;
    RetryTimer* timer_;
};

/// "dbname='...'": a database's name that is taken for no connection string.
std::string database_argument(const std::string& database);

}  // namespace steward
