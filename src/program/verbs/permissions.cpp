// `pg_steward permissions check|fix`: owners and modes of all that a server needs.

#include <filesystem>
#include <memory>
#include <string>

#include "program/commands.h"
#include "program/permissions/permission_run.h"
#include "program/signal_watch.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr const char* kScope =
    "Judges owner, group and permission bits of the data directory, its tablespaces and WAL directory, of what the configuration names, and of "
    "the directories on the way there. Access control lists and security modules such as SELinux are not looked at.";

struct PermissionsCommand {
    PermissionsCommand(CLI::App& app, bool fixes);

    SettingOptions settings;
    std::string owner;
    std::string config_file;
    bool dry_run = false;
    std::string save_old;
    std::string undo;
    OutputFormat format = OutputFormat::kText;
};

PermissionsCommand::PermissionsCommand(CLI::App& app, bool fixes) : settings(app, {}) {
    app.add_option("--owner", owner, "User to whom it all should belong (default: to whom the data directory belongs)")->type_name("USER");
    app.add_option("--config-file", config_file, "The server's postgresql.conf (default: the one the server was last started with)")->type_name("FILE");
    if (fixes) {
        CLI::Option* const save = app.add_option("--save-old", save_old, "New file for the way back (default: one beside the data directory)")->type_name("FILE");
        app.add_option("--undo", undo, "Take back the changes in this list, as far as the files are as the fix left them")->type_name("FILE")->excludes(save);
        app.add_flag("-n,--dry-run", dry_run, "Show what would be changed; change nothing");
    }
    add_output_option(app, format);
    app.footer(kScope);
}

Result<PermissionTask> make_task(const PermissionsCommand& command) {
    TRY_ASSIGN(fs::path directory, command.settings.require_data_directory());
    PermissionTask task;
    task.survey = {.data_directory = std::move(directory), .owner = command.owner,
                   .config_file = command.config_file.empty() ? fs::path() : fs::absolute(command.config_file)};
    if (!command.save_old.empty()) task.save_old = fs::absolute(command.save_old);
    task.dry_run = command.dry_run;
    task.format = command.format;
    return task;
}

Result<int> check(const PermissionsCommand& command) {
    TRY_ASSIGN(const PermissionTask task, make_task(command));
    const SignalWatch signals;
    return check_permissions(task, signals.cancel());
}

Result<int> fix(const PermissionsCommand& command) {
    const SignalWatch signals;
    if (!command.undo.empty()) return undo_permissions(fs::absolute(command.undo), command.dry_run, command.format, signals.cancel());
    TRY_ASSIGN(const PermissionTask task, make_task(command));
    return fix_permissions(task, signals.cancel());
}

}  // namespace

void add_permissions_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("permissions", "Check or fix owners and modes of a cluster's files");
    app.require_subcommand(1);
    CLI::App& check_app = *app.add_subcommand("check", "Say what is wrong, and change nothing");
    const auto checking = std::make_shared<PermissionsCommand>(check_app, false);
    on_chosen(check_app, chosen, [checking] { return check(*checking); });
    CLI::App& fix_app = *app.add_subcommand("fix", "Change what is wrong: as root all, as the owner modes");
    const auto fixing = std::make_shared<PermissionsCommand>(fix_app, true);
    on_chosen(fix_app, chosen, [fixing] { return fix(*fixing); });
}

}  // namespace steward
