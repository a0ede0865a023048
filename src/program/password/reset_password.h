// One reset of a role's password while the server is down, from looking at the cluster to the report.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/crypto/secret.h"
#include "program/commands.h"
#include "program/password/saved_statement.h"

namespace steward {

struct PasswordReset {
    std::filesystem::path data_directory;  ///< absolute
    std::string role;
    bool enable_login = false;             ///< take what keeps the role from logging in out of the way
    bool keep_current = false;             ///< change nothing where the role has this password already
    bool generated = false;                ///< the password is made up here, and goes alone to standard output
    bool dry_run = false;
    std::filesystem::path bindir;          ///< absolute; empty: the programs that the server was last started with
    std::filesystem::path config_file;     ///< absolute; empty: the one that the server was last started with
    OutputFormat format = OutputFormat::kText;
    /// Opens what only the user who asks may open, before root becomes the cluster's owner; returns the file for the way back.
    std::function<Result<std::optional<SavedStatement>>()> open_files;
    /// Not asked for in a dry run.
    std::function<Result<Secret>(const CancelToken&)> obtain_password;
};

/// Reset it, and say so on standard output. As root, this process is the cluster's owner afterwards. Errors: as inspect_offline_cluster,
/// with the statement for a running server in the hint; as find_single_user_server; those of the functions; not_found for the role;
/// server_raised; cancelled.
Result<void> reset_password(const PasswordReset& task, const CancelToken& cancel);

}  // namespace steward
