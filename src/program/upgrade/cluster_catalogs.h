// A cluster's catalogs, asked with the server running or down.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/postgres/single_user_output.h"
#include "core/storage/retry_storage.h"
#include "program/single_user/single_user_command.h"

namespace steward {

class ClusterCatalogs {
public:
    virtual ~ClusterCatalogs() = default;

    /// Run "SELECT columns rest" in `database` with search_path = pg_catalog. Each of `columns` can be cast to text. Errors: server_raised
    /// with the server's message; cancelled.
    virtual Result<std::vector<SingleUserRow>> select(const std::string& database, std::span<const std::string_view> columns, std::string_view rest,
                                                      const CancelToken& cancel) = 0;
    /// Give the cluster back: what was started is shut down. Errors: server_raised.
    virtual Result<void> finish(const CancelToken& cancel) = 0;
};

/// Catalogs of a cluster whose server is down, by single-user mode: also those of databases that allow no connections. Borrows `timer`.
std::unique_ptr<ClusterCatalogs> offline_catalogs(SingleUserServer server, RetryTimer& timer);

/// Where a running server listens.
struct ServerAddress {
    std::filesystem::path psql;
    std::string host;  ///< directory of its socket, or an address
    std::string port;
    std::string user;
};

/// Catalogs of a running server, by psql, which asks for no password: see its own documentation for the password file. Borrows `timer`.
std::unique_ptr<ClusterCatalogs> online_catalogs(ServerAddress address, RetryTimer& timer);

/// Where the server of `data_directory` listens, as its postmaster.pid says: a socket where it has one. `user` and `psql` are left empty.
/// Errors: wrong_state when it is not open yet, or not any more.
Result<ServerAddress> find_server_address(const std::filesystem::path& data_directory);

}  // namespace steward
