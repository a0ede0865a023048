// `pg_steward start`: all that has to be seen to before the server runs, and then the server.

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "program/commands.h"
#include "program/start/start.h"
#include "program/start/start_environment.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr const char* kFooter =
    "Environment (a flag wins; an empty variable counts as none; a value that is not understood is an error):\n"
    "  PG_VERSION              as --pg-version\n"
    "  RESET_PASSWORD          as --reset-password\n"
    "  POSTGRES_PASSWORD       the password itself; taken out of the environment at once\n"
    "  POSTGRES_PASSWORD_FILE  as --password-file\n"
    "  START_POSTGRES          off: as --prepare-only\n"
    "  AUTO_UPGRADE            on: as --auto-upgrade\n"
    "Without --reset-password, the password is that of the superuser of a cluster that --initialize makes.\n\n"
    "Exit status, when the server was not started: that of \"pg_steward preseed\", 17 also for a running server, 18 also for permissions\n"
    "that keep the server from working and for an upgrade that is under way or has something in its way, 21 when cluster and\n"
    "programs are of different releases, and the others of \"pg_steward reference errors\". Afterwards it is the server's.";

struct StartCommand {
    explicit StartCommand(CLI::App& app);

    SettingOptions settings;
    RestoreArguments restore;
    StartFlags flags;
    std::string config_file, old_bindir;
    std::vector<std::string> mount_points;
    std::string status_file;
    std::vector<std::string> initdb_options;
    bool dry_run = false;
    OutputFormat format = OutputFormat::kText;
};

StartCommand::StartCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
    app.add_option("--pg-version", flags.version, "Major version of the programs to run (default: of --bindir, or of those beside this program)")->type_name("N");
    app.add_option("--config-file", config_file, "The server's postgresql.conf (default: in the data directory, or the one it was last started with)")->type_name("FILE");
    app.add_flag("--skip-permissions", flags.skip_permissions, "Do not look at owners and modes; otherwise they are checked, and as root cured");
    app.add_option("--expect-system-identifier", flags.seed.expected_identifier, "The cluster that has to be there, by its system identifier")->type_name("N");
    app.add_option("--mount-point", mount_points, "Where a volume has to be mounted; may be repeated")->type_name("DIR")->allow_extra_args(false);
    app.add_flag("--restore", flags.seed.restore, "Where no cluster is, restore it from the first repository that can serve it");
    app.add_flag("--initialize", flags.seed.initialize, "Where no cluster is, make an empty one; with --restore, only when no repository knows this cluster");
    app.add_option("--initdb-option", initdb_options, "Option for initdb, as --initdb-option=--data-checksums; may be repeated")
        ->type_name("OPTION")
        ->allow_extra_args(false);
    restore.add_target(app);
    restore.add_standby(app);
    restore.add_tablespaces(app);
    restore.add_execution(app);
    app.add_flag("--auto-upgrade", flags.auto_upgrade, "Upgrade a cluster of an older major to that of the programs; go on with an upgrade that was interrupted");
    app.add_option("--upgrade-method", flags.upgrade_method, "copy, clone, copy-file-range, link, swap or dump (default: the quickest that leaves the old cluster as it is)")->type_name("METHOD");
    app.add_option("--old-bindir", old_bindir, "Programs of the cluster's own major for an upgrade (default: beside the new ones, or those the server was last started with)")->type_name("DIR");
    app.add_option("--status-file", status_file, "Where preseed tells its state as JSON (default: DIR.preseed-status.json beside the data directory)")->type_name("FILE");
    app.add_option("--reset-password", flags.reset_role, "Role whose password is set, unless it is that password already")->type_name("ROLE");
    app.add_option("--password-file", flags.password_file, "File that holds the password")->type_name("FILE");
    app.add_flag("--enable-login", flags.enable_login, "Change NOLOGIN, VALID UNTIL in the past and CONNECTION LIMIT 0 of that role too");
    app.add_flag("--prepare-only", flags.prepare_only, "Do everything but start the server");
    app.add_option("server-options", flags.server_options, "After \"--\": options for the server")->type_name("OPTION");
    app.add_flag("-n,--dry-run", dry_run, "Show what every step would do; change nothing");
    add_output_option(app, format);
    app.footer(kFooter);
}

Result<void> check(const StartCommand& command) {
    if (!command.initdb_options.empty() && !command.flags.seed.initialize) return Error(ErrorCode::usage, "options for initdb need --initialize");
    if (command.restore.standby && !command.flags.seed.restore) return Error(ErrorCode::usage, "--standby needs --restore");
    if (command.restore.standby && command.flags.seed.initialize)
        return Error(ErrorCode::usage, "--standby excludes --initialize").detail("A new cluster is no standby.");
    return {};
}

fs::path absolute_or_none(const std::string& path) { return path.empty() ? fs::path() : fs::absolute(path); }

Result<int> run(const StartCommand& command) {
    StartEnvironment environment = take_start_environment();
    StartTask task;
    TRY_ASSIGN(task.directory, command.settings.require_data_directory());
    TRY(check(command));
    TRY_ASSIGN(task.request, make_start_request(command.flags, environment.variables));
    if (task.request.password == PasswordSource::kVariable) task.password = std::move(environment.password);
    if (!task.request.password_file.empty()) task.request.password_file = fs::absolute(task.request.password_file);
    task.config_file = absolute_or_none(command.config_file);
    task.old_bindir = absolute_or_none(command.old_bindir);
    for (const std::string& point : command.mount_points) task.mount_points.push_back(fs::absolute(point));
    task.status_file = absolute_or_none(command.status_file);
    task.initdb_options = command.initdb_options;
    task.dry_run = command.dry_run;
    task.format = command.format;
    task.settings = [&command] { return command.settings.resolve(); };
    task.restore = &command.restore;
    return run_start(task);
}

}  // namespace

void add_start_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("start", "See to permissions, data directory, upgrade and password, then become the server");
    const auto command = std::make_shared<StartCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
