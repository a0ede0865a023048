// `pg_steward upgrade check`: what is in the way of a major upgrade, and how it is cured.

#include <filesystem>
#include <memory>
#include <string>

#include "core/base/format.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/signal_watch.h"
#include "program/upgrade/upgrade_check.h"
#include "program/verbs/upgrade_rehearse.h"
#include "program/verbs/upgrade_run.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

struct UpgradeCheckCommand {
    explicit UpgradeCheckCommand(CLI::App& app) : settings(app, {}) {
        app.add_option("--to", inputs.to, "The new major, for example 18")->type_name("MAJOR")->required();
        app.add_option("--bindir", bindir, "Programs of the old major (default: those the server was last started with)")->type_name("DIR");
        app.add_option("--new-bindir", new_bindir, "Programs of the new major (default: where the old ones are, with the other number)")->type_name("DIR");
        app.add_option("--config-file", config_file, "The server's postgresql.conf (default: the one the server was last started with)")->type_name("FILE");
        app.add_option("--username", inputs.username, "Superuser to ask a running server as (default: the one initdb made)")->type_name("ROLE");
        add_output_option(app, format);
    }

    SettingOptions settings;
    UpgradeCheckInputs inputs;
    std::string bindir, new_bindir, config_file;
    OutputFormat format = OutputFormat::kText;
};

fs::path absolute_or_empty(const std::string& path) { return path.empty() ? fs::path() : fs::absolute(path); }

Result<int> run(UpgradeCheckCommand& command) {
    TRY_ASSIGN(command.inputs.data_directory, command.settings.require_data_directory());
    command.inputs.bindir = absolute_or_empty(command.bindir);
    command.inputs.new_bindir = absolute_or_empty(command.new_bindir);
    command.inputs.config_file = absolute_or_empty(command.config_file);
    const SignalWatch signals;
    SteadyRetryTimer timer;
    TRY_ASSIGN(const UpgradeCheckReport report, check_upgrade(command.inputs, timer, signals.cancel()));
    TRY(print(command.format == OutputFormat::kJson ? render_upgrade_check_json(report) : render_upgrade_check(report)));
    return report.can_upgrade() ? 0 : info(ErrorCode::wrong_state).exit_status;
}

}  // namespace

void add_upgrade_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& upgrade = *program.add_subcommand("upgrade", "Bring a cluster to a newer major of PostgreSQL");
    upgrade.require_subcommand(1);
    CLI::App& check = *upgrade.add_subcommand("check", "Find what is in the way of an upgrade, and how it is cured; changes nothing");
    const auto command = std::make_shared<UpgradeCheckCommand>(check);
    on_chosen(check, chosen, [command] { return run(*command); });
    add_upgrade_rehearse_command(upgrade, chosen);
    add_upgrade_run_commands(upgrade, chosen);
}

}  // namespace steward
