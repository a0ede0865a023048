// `pg_steward upgrade run`, `status`, `rollback` and `commit`.

#include "program/verbs/upgrade_run.h"

#include <filesystem>
#include <memory>
#include <string>

#include "program/console.h"
#include "program/signal_watch.h"
#include "program/verbs/upgrade_arguments.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

Result<void> print_status(const fs::path& directory, OutputFormat format) {
    TRY_ASSIGN(const UpgradeStatus status, read_upgrade_status(directory));
    return print(format == OutputFormat::kJson ? render_upgrade_status_json(status) : render_upgrade_status(status));
}

struct RunCommand {
    explicit RunCommand(CLI::App& app) : settings(app, {}) {
        arguments.add(app);
        app.add_flag("-n,--dry-run", dry_run, "Show what would be done, and why; change nothing");
        add_output_option(app, format);
    }

    SettingOptions settings;
    UpgradeArguments arguments;
    bool dry_run = false;
    OutputFormat format = OutputFormat::kText;
};

Result<int> run(const RunCommand& command) {
    TRY_ASSIGN(UpgradeRunInputs inputs, command.arguments.make_inputs(command.settings));
    inputs.dry_run = command.dry_run;
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY(run_upgrade(inputs, {clock, timer, signals.cancel(), teller(command.format)}));
    if (!inputs.dry_run || command.format == OutputFormat::kJson) TRY(print_status(inputs.data_directory, command.format));
    return 0;
}

struct StatusCommand {
    explicit StatusCommand(CLI::App& app) : settings(app, {}) { add_output_option(app, format); }

    SettingOptions settings;
    OutputFormat format = OutputFormat::kText;
};

Result<int> show_status(const StatusCommand& command) {
    TRY_ASSIGN(const fs::path directory, command.settings.require_data_directory());
    TRY(print_status(directory, command.format));
    return 0;
}

struct UndoCommand {
    explicit UndoCommand(CLI::App& app) : settings(app, {}) {
        app.add_flag("-n,--dry-run", inputs.dry_run, "Show what would be done; change nothing");
        add_output_option(app, format);
    }

    SettingOptions settings;
    UpgradeUndoInputs inputs;
    OutputFormat format = OutputFormat::kText;
};

using Undo = Result<void> (*)(const UpgradeUndoInputs&, const UpgradeSurroundings&);

Result<int> undo(UndoCommand& command, Undo work) {
    TRY_ASSIGN(command.inputs.data_directory, command.settings.require_data_directory());
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY(work(command.inputs, {clock, timer, signals.cancel(), teller(command.format)}));
    if (command.format == OutputFormat::kJson) TRY(print_status(command.inputs.data_directory, command.format));
    return 0;
}

}  // namespace

void add_upgrade_run_commands(CLI::App& upgrade, ChosenCommand& chosen) {
    CLI::App& run_app = *upgrade.add_subcommand("run", "Upgrade a cluster whose server is down, or go on with an upgrade that was interrupted");
    const auto run_command = std::make_shared<RunCommand>(run_app);
    on_chosen(run_app, chosen, [run_command] { return run(*run_command); });

    CLI::App& status_app = *upgrade.add_subcommand("status", "Tell where an upgrade stands, and what to type");
    const auto status_command = std::make_shared<StatusCommand>(status_app);
    on_chosen(status_app, chosen, [status_command] { return show_status(*status_command); });

    CLI::App& rollback_app = *upgrade.add_subcommand("rollback", "Bring the old cluster back, whatever the upgrade got to");
    const auto rollback_command = std::make_shared<UndoCommand>(rollback_app);
    rollback_app.add_flag("--discard-changes", rollback_command->inputs.discard_changes, "Also when the new cluster has been used, whose changes are lost");
    on_chosen(rollback_app, chosen, [rollback_command] { return undo(*rollback_command, roll_upgrade_back); });

    CLI::App& commit_app = *upgrade.add_subcommand("commit", "Make an upgrade final: remove the old cluster and the logs");
    const auto commit_command = std::make_shared<UndoCommand>(commit_app);
    on_chosen(commit_app, chosen, [commit_command] { return undo(*commit_command, commit_upgrade); });
}

}  // namespace steward
