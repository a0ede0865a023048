// `pg_steward upgrade rehearse`: how long an upgrade takes, and what room, found out on a copy.

#include "program/verbs/upgrade_rehearse.h"

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "program/console.h"
#include "program/signal_watch.h"
#include "program/upgrade/rehearsal.h"
#include "program/verbs/upgrade_arguments.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

struct RehearseCommand {
    explicit RehearseCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
        arguments.add(app);
        app.add_flag("--from-backup", from_backup, "Rehearse with a backup also when the server is down; a running server's cluster is not copied in any case");
        app.add_option("--backup", backup, "Backup to rehearse with (default: the newest)")->type_name("LABEL");
        app.add_option("--at", place, "Where to rehearse (default: the data directory's name with \".rehearsal\" behind it)")->type_name("DIR");
        app.add_flag("--keep", keep, "Leave the upgraded copy, until the next rehearsal");
        add_output_option(app, format);
    }

    SettingOptions settings;
    UpgradeArguments arguments;
    bool from_backup = false, keep = false;
    std::string backup, place;
    OutputFormat format = OutputFormat::kText;
};

Result<int> rehearse(const RehearseCommand& command) {
    TRY_ASSIGN(UpgradeRunInputs upgrade, command.arguments.make_inputs(command.settings));
    TRY_ASSIGN(const Settings settings, command.settings.resolve());
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    ConsoleLog log;
    RestoreProgress progress;
    RehearsalInputs inputs{.upgrade = std::move(upgrade), .settings = settings, .log = log, .progress = progress};
    inputs.from_backup = command.from_backup || !command.backup.empty() || command.settings.has_flag("repository");
    if (!command.backup.empty()) inputs.backup = command.backup;
    if (!command.place.empty()) inputs.place = fs::absolute(command.place);
    inputs.keep = command.keep;
    TRY_ASSIGN(const RehearsalRecord record, rehearse_upgrade(inputs, {clock, timer, signals.cancel(), teller(command.format)}));
    TRY(print(command.format == OutputFormat::kJson ? render_rehearsal_json(record) + "\n" : render_rehearsal(record)));
    return 0;
}

}  // namespace

void add_upgrade_rehearse_command(CLI::App& upgrade, ChosenCommand& chosen) {
    CLI::App& app = *upgrade.add_subcommand("rehearse", "Try an upgrade out on a copy of the cluster or on its newest backup, and tell what it takes");
    const auto command = std::make_shared<RehearseCommand>(app);
    on_chosen(app, chosen, [command] { return rehearse(*command); });
}

}  // namespace steward
