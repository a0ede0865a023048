// `pg_steward reset-password`: a role's new password while the server is down.

#include <fcntl.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/file.h"
#include "program/commands.h"
#include "program/password/password_input.h"
#include "program/password/reset_password.h"
#include "program/signal_watch.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

struct ResetPasswordCommand {
    explicit ResetPasswordCommand(CLI::App& app);

    SettingOptions settings;
    std::string role;
    std::string password_file;
    bool generate = false;
    bool enable_login = false;
    std::string save_old;
    std::string bindir;
    std::string config_file;
    bool dry_run = false;
    OutputFormat format = OutputFormat::kText;
};

ResetPasswordCommand::ResetPasswordCommand(CLI::App& app) : settings(app, {}) {
    app.add_option("--role", role, "Role whose password is set")->type_name("ROLE")->required();
    CLI::Option* file = app.add_option("--password-file", password_file, "File that holds the password (default: standard input)")->type_name("FILE");
    app.add_flag("--generate", generate, "Make a password and print it, alone, on standard output")->excludes(file);
    app.add_flag("--enable-login", enable_login, "Change NOLOGIN, VALID UNTIL in the past and CONNECTION LIMIT 0 too");
    app.add_option("--save-old", save_old, "File for the statement that brings the old password back, for its owner's eyes")->type_name("FILE");
    app.add_option("--bindir", bindir, "Programs of the server's release (default: those the server was last started with)")->type_name("DIR");
    app.add_option("--config-file", config_file, "The server's postgresql.conf (default: the one the server was last started with)")->type_name("FILE");
    app.add_flag("-n,--dry-run", dry_run, "Show what would be done; start no server and change nothing");
    add_output_option(app, format);
}

fs::path absolute_or_empty(const std::string& path) { return path.empty() ? fs::path() : fs::absolute(path); }

Result<std::optional<SavedStatement>> open_files(const ResetPasswordCommand& command, UniqueFd& password_file) {
    if (!command.password_file.empty()) {
        TRY_ASSIGN(password_file, open_file(command.password_file, O_RDONLY));
    }
    if (command.save_old.empty()) return std::optional<SavedStatement>();
    TRY_ASSIGN(SavedStatement old, SavedStatement::open(fs::absolute(command.save_old)));
    return std::optional<SavedStatement>(std::move(old));
}

Result<Secret> obtain_password(const ResetPasswordCommand& command, const UniqueFd& password_file, const CancelToken& cancel) {
    if (command.generate) return generate_password();
    if (password_file.valid()) return read_password_file(password_file.get(), command.password_file, cancel);
    return read_password_input(cancel);
}

Result<int> run(const ResetPasswordCommand& command) {
    UniqueFd password_file;
    PasswordReset task;
    TRY_ASSIGN(task.data_directory, command.settings.require_data_directory());
    task.role = command.role;
    task.enable_login = command.enable_login;
    task.generated = command.generate;
    task.dry_run = command.dry_run;
    task.bindir = absolute_or_empty(command.bindir);
    task.config_file = absolute_or_empty(command.config_file);
    task.format = command.format;
    task.open_files = [&] { return open_files(command, password_file); };
    task.obtain_password = [&](const CancelToken& cancel) { return obtain_password(command, password_file, cancel); };
    const SignalWatch signals;
    TRY(reset_password(task, signals.cancel()));
    return 0;
}

}  // namespace

void add_reset_password_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("reset-password", "Set a role's password while the server is down");
    const auto command = std::make_shared<ResetPasswordCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
