// `pg_steward upgrade run`, `status`, `rollback` and `commit`.

#include "program/verbs/upgrade_run.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/base/format.h"
#include "program/console.h"
#include "program/signal_watch.h"
#include "program/upgrade/upgrade_run.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr int kMostJobs = 64;

Result<void> print_status(const fs::path& directory, OutputFormat format) {
    TRY_ASSIGN(const UpgradeStatus status, read_upgrade_status(directory));
    return print(format == OutputFormat::kJson ? render_upgrade_status_json(status) : render_upgrade_status(status));
}

/// Lines as the work goes on; JSON is one object at the end.
std::function<void(const std::string&)> teller(OutputFormat format) {
    if (format == OutputFormat::kJson) return [](const std::string&) {};
    // Nothing is stopped because nobody looks on any more.
    return [](const std::string& line) { static_cast<void>(print(line.ends_with('\n') ? line : line + "\n").ok()); };
}

struct RunCommand {
    explicit RunCommand(CLI::App& app) : settings(app, {}) {
        auto* const target = app.add_option("--to", to, "The new major, for example 18; needed unless an upgrade is under way")->type_name("MAJOR");
        app.add_option("--path", path, "Several majors one after another, for example 15,17,18, instead of --to")->delimiter(',')->type_name("MAJORS")->excludes(target);
        app.add_option("--method", method, "copy, clone, copy-file-range, link, swap or dump (default: the quickest that leaves the old cluster as it is)")->type_name("METHOD");
        app.add_option("--bindir", bindir, "Programs of the old major (default: those the server was last started with)")->type_name("DIR");
        app.add_option("--new-bindir", new_bindirs, "Programs of the new major, or with --path of each (default: where the old ones are, with the other number)")
            ->type_name("DIR")
            ->allow_extra_args(false);
        app.add_option("--config-file", config_file, "The old server's postgresql.conf (default: the one it was last started with)")->type_name("FILE");
        app.add_option("--jobs", inputs.jobs, "How much is done side by side (default: the number of processors)")->type_name("N")->check(CLI::Range(1, kMostJobs));
        app.add_flag("--no-statistics", no_statistics, "Leave the tables that have no statistics afterwards without");
        app.add_flag("-n,--dry-run", inputs.dry_run, "Show what would be done, and why; change nothing");
        add_output_option(app, format);
    }

    SettingOptions settings;
    UpgradeRunInputs inputs;
    int to = 0;
    std::vector<int> path;
    std::string method, bindir, config_file;
    std::vector<std::string> new_bindirs;
    bool no_statistics = false;
    OutputFormat format = OutputFormat::kText;
};

fs::path absolute_unless_empty(const std::string& path) { return path.empty() ? fs::path() : fs::absolute(path); }

Result<void> complete(RunCommand& command) {
    UpgradeRunInputs& inputs = command.inputs;
    TRY_ASSIGN(inputs.data_directory, command.settings.require_data_directory());
    inputs.path = command.path;
    if (command.to != 0) inputs.path = {command.to};
    if (!command.method.empty() && command.method != "auto") {
        inputs.method = parse_transfer_method(command.method);
        if (!inputs.method) return Error(ErrorCode::usage, formatted("there is no method \"{}\"", command.method)).hint("There are copy, clone, copy-file-range, link, swap and dump.");
    }
    inputs.bindir = absolute_unless_empty(command.bindir);
    for (const std::string& bindir : command.new_bindirs) inputs.new_bindirs.push_back(fs::absolute(bindir));
    inputs.config_file = absolute_unless_empty(command.config_file);
    if (command.no_statistics) inputs.statistics = false;
    return {};
}

Result<int> run(RunCommand& command) {
    TRY(complete(command));
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY(run_upgrade(command.inputs, {clock, timer, signals.cancel(), teller(command.format)}));
    if (!command.inputs.dry_run || command.format == OutputFormat::kJson) TRY(print_status(command.inputs.data_directory, command.format));
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
    run_command->inputs.jobs = std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, kMostJobs);
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
