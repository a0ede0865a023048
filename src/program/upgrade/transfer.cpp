#include "program/upgrade/transfer.h"

#include <unistd.h>

#include <system_error>

#include "core/base/format.h"
#include "core/upgrade/carry_configuration.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/dump_restore.h"
#include "program/upgrade/logged_program.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Where pg_upgrade of 15 and later writes, in the new cluster.
constexpr std::string_view kOutputDirectory = "pg_upgrade_output.d";

Error failed(std::string_view what, const LoggedProgram& program, const fs::path& log) {
    return Error(ErrorCode::server_raised, std::string(what))
        .detail(formatted("This is what was said: {}", program.failure()))
        .hint(formatted("All of it is in \"{}\" and the files beside it. When the cause is cured, run the upgrade again; \"pg_steward upgrade rollback\" takes it back.",
                        log.native()))
        .object(log.native());
}

/// The options of a server that pg_upgrade starts, for a shell in a shell.
Result<std::string> server_options(const PrivateServerPlan& plan) {
    std::string options;
    for (const std::string& setting : private_settings(plan)) {
        if (!can_be_server_option(setting))
            return Error(ErrorCode::invalid_argument, formatted("setting \"{}\" cannot be passed on through pg_upgrade", setting))
                .hint("Move the directory to a path without quotes, backslashes, dollar signs and backticks.");
        options += formatted("{}-c '{}'", options.empty() ? "" : " ", setting);
    }
    return options;
}

Result<void> run_pg_upgrade(const UpgradeContext& context, const UpgradeFacts& facts, int hop) {
    TRY_ASSIGN(const PrivateServerPlan old_plan, context.server_plan(hop - 1, facts));
    TRY_ASSIGN(const PrivateServerPlan new_plan, context.server_plan(hop, facts));
    TRY_ASSIGN(const std::string old_options, server_options(old_plan));
    TRY_ASSIGN(const std::string new_options, server_options(new_plan));
    std::vector<std::string> command = {(new_plan.bindir / "pg_upgrade").native(),
                                        "--old-bindir", old_plan.bindir.native(),
                                        "--new-bindir", new_plan.bindir.native(),
                                        "--old-datadir", old_plan.data_directory.native(),
                                        "--new-datadir", new_plan.data_directory.native(),
                                        "--username", facts.traits.superuser,
                                        "--socketdir", context.sockets.native(),
                                        "--old-port", std::string(kPrivatePort),
                                        "--new-port", std::string(kPrivatePort),
                                        "--old-options", old_options,
                                        "--new-options", new_options,
                                        "--jobs", std::to_string(context.request.jobs),
                                        "--retain"};
    // The option --copy came with 16, and is the default.
    if (const TransferMethod method = context.request.method_of_hop(hop); method != TransferMethod::kCopy) command.push_back(formatted("--{}", name_of(method)));
    const fs::path log = context.log_of(hop, "pg_upgrade");
    Result<LoggedProgram> program = run_logged(std::move(command), log, context.timer, context.cancel);
    if (!program.ok()) return std::move(program).error();
    if (program->succeeded()) return {};
    return failed(formatted("pg_upgrade from {} to {} failed", old_plan.major, new_plan.major), *program, log);
}

}  // namespace

fs::path wal_directory(const fs::path& data_directory, int major) {
    std::error_code problem;
    const fs::path wal = fs::read_symlink(data_directory / "pg_wal", problem);
    return problem || !wal.is_absolute() ? fs::path() : fs::path(formatted("{}.{}", wal.native(), major));
}

Result<void> initialize_cluster(const UpgradeContext& context, const UpgradeFacts& facts, int hop) {
    const fs::path directory = context.cluster_of(hop);
    TRY(remove_cluster(directory));
    // What it makes is flushed after the data are there. Our own servers have a pg_hba.conf of their own; this one is for an operator whose is
    // not in the data directory, and must not let anybody in.
    std::vector<std::string> command = {(context.bindir_of(hop) / "initdb").native(), "--no-sync", "--no-instructions", "--auth-local=peer", "--auth-host=scram-sha-256",
                                        "--pgdata=" + directory.native()};
    for (std::string& argument : initdb_arguments(facts.traits, context.major_of(hop))) command.push_back(std::move(argument));
    if (const fs::path wal = wal_directory(context.places.data_directory, context.major_of(hop)); !wal.empty()) {
        TRY(remove_tree(wal));
        command.push_back("--waldir=" + wal.native());
    }
    const fs::path log = context.log_of(hop, "initdb");
    TRY_ASSIGN(const LoggedProgram program, run_logged(std::move(command), log, context.timer, context.cancel));
    if (program.succeeded()) return {};
    return failed(formatted("could not make the cluster of PostgreSQL {}", context.major_of(hop)), program, log);
}

Result<void> keep_pg_upgrade_logs(const UpgradeContext& context, int hop) {
    const fs::path written = context.cluster_of(hop) / kOutputDirectory;
    std::error_code problem;
    // It deletes the old cluster by a path where the new one is going to be.
    fs::remove(context.places.logs() / "delete_old_cluster.sh", problem);
    if (!fs::exists(written, problem)) return {};
    for (int number = 1;; ++number) {
        const fs::path kept = context.places.logs() / formatted("{}-pg_upgrade.{}", context.major_of(hop), number);
        if (!fs::exists(kept, problem)) return rename_durably(written, kept);
    }
}

Result<void> transfer_cluster(const UpgradeContext& context, const UpgradeFacts& facts, int hop) {
    if (context.request.method == TransferMethod::kDump) return dump_and_restore(context, facts, hop);
    Result<void> transferred = run_pg_upgrade(context, facts, hop);
    TRY(keep_pg_upgrade_logs(context, hop));
    return transferred;
}

}  // namespace steward
