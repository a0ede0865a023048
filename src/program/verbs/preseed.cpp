// `pg_steward preseed`: what has to be in the data directory before the server starts.

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "program/commands.h"
#include "program/preseed/preseed.h"
#include "program/signal_watch.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr const char* kExitStatuses =
    "Exit status:\n"
    "  0   the data directory holds the cluster: it was there, was restored or, by consent, made\n"
    "  5   there is none, and nothing that was allowed can make one\n"
    "  6   the data directory holds something else, or a repository knows a cluster of this name\n"
    "  8   the data directory holds a damaged cluster\n"
    "  10  the cluster is another one than the expected\n"
    "  14  try again: a repository that may have the cluster cannot be reached\n"
    "  17  try again: another preseed of this directory is running, or an upgrade of it\n"
    "  18  a volume is not mounted, or an upgrade has to be gone on with or taken back first\n"
    "and the others of \"pg_steward reference errors\". After every one but 0, the data directory is as it was\n"
    "or, where it is a mount point, holds a restore that can be gone on with.";

struct PreseedCommand {
    explicit PreseedCommand(CLI::App& app);

    SettingOptions settings;
    RestoreArguments restore;
    SeedRequest request;
    std::vector<std::string> mount_points;
    std::string status_file;
    std::vector<std::string> initdb_options;
    bool dry_run = false;
    OutputFormat format = OutputFormat::kText;
};

PreseedCommand::PreseedCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
    app.add_option("--expect-system-identifier", request.expected_identifier, "The cluster that has to be there, by its system identifier")->type_name("N");
    app.add_option("--mount-point", mount_points, "Where a volume has to be mounted; may be repeated")->type_name("DIR")->allow_extra_args(false);
    app.add_flag("--restore", request.restore, "Where no cluster is, restore it from the first repository that can serve it");
    app.add_flag("--initialize", request.initialize,
                 "Where no cluster is, make an empty one with initdb of --bindir; with --restore, only when no repository knows this cluster");
    app.add_option("initdb-options", initdb_options, "After \"--\": options for initdb")->type_name("OPTION");
    restore.add_target(app);
    restore.add_standby(app);
    restore.add_tablespaces(app);
    restore.add_execution(app);
    app.add_option("--status-file", status_file, "Where the state is told as JSON (default: DIR.preseed-status.json beside the data directory)")
        ->type_name("FILE");
    app.add_flag("-n,--dry-run", dry_run, "Show what is there and what would be done; change nothing");
    add_output_option(app, format);
    app.footer(kExitStatuses);
}

Result<void> check(const PreseedCommand& command) {
    if (command.request.initialize && command.restore.bindir.empty())
        return Error(ErrorCode::usage, "--initialize needs --bindir").hint("Name the directory of initdb.");
    if (!command.initdb_options.empty() && !command.request.initialize)
        return Error(ErrorCode::usage, "options for initdb need --initialize");
    if (command.restore.standby && !command.request.restore) return Error(ErrorCode::usage, "--standby needs --restore");
    if (command.restore.standby && command.request.initialize)
        return Error(ErrorCode::usage, "--standby excludes --initialize").detail("A new cluster is no standby.");
    return {};
}

Result<int> run(const PreseedCommand& command) {
    PreseedTask task;
    TRY_ASSIGN(task.directory, command.settings.require_data_directory());
    TRY(check(command));
    task.request = command.request;
    for (const std::string& point : command.mount_points) task.mount_points.push_back(fs::absolute(point));
    if (!command.status_file.empty()) task.status_file = fs::absolute(command.status_file);
    task.initdb_options = command.initdb_options;
    task.dry_run = command.dry_run;
    task.format = command.format;
    task.settings = [&command] { return command.settings.resolve(); };
    task.restore = &command.restore;
    const SignalWatch signals;
    TRY(run_preseed(task, signals.cancel()));
    return 0;
}

}  // namespace

void add_preseed_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("preseed", "Before the server starts: see that the data directory holds its cluster");
    const auto command = std::make_shared<PreseedCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
