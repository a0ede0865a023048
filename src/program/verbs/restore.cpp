// `pg_steward restore`: the command line of core/restore.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/format.h"
#include "core/restore/restore.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/former_systems.h"
#include "program/open_repositories.h"
#include "program/restore_arguments.h"
#include "program/signal_watch.h"

namespace steward {

namespace {

struct RestoreCommand {
    explicit RestoreCommand(CLI::App& app);

    SettingOptions settings;
    RestoreArguments arguments;
    std::vector<std::string> databases, excluded_databases;
    bool dry_run = false;
    bool preserve_existing = false;
    bool delta = false;
    OutputFormat format = OutputFormat::kText;
};

RestoreCommand::RestoreCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
    arguments.add_target(app);
    add_system_option(app, arguments.system_identifier);
    arguments.add_standby(app);
    CLI::Option* only = app.add_option("--database", databases, "Restore this one of the operators' databases, and not the others; may be repeated")
                            ->type_name("NAME")
                            ->allow_extra_args(false);
    app.add_option("--exclude-database", excluded_databases, "Restore all databases but this one; may be repeated")
        ->type_name("NAME")
        ->allow_extra_args(false)
        ->excludes(only);
    arguments.add_tablespaces(app);
    CLI::Option* preserve =
        app.add_flag("--preserve-existing", preserve_existing, "Rename a directory that is not empty, instead of refusing");
    app.add_flag("--delta", delta, "Restore into this cluster's own directory: compare what is there, write what differs, remove what is not in the backup")
        ->excludes(preserve);
    arguments.add_execution(app);
    app.add_flag("-n,--dry-run", dry_run, "Show what would be done and check that it can be; change nothing");
    add_output_option(app, format);
}

Result<RestoreOptions> make_options(const RestoreCommand& command, const Settings& settings) {
    TRY_ASSIGN(const std::filesystem::path directory, command.settings.require_data_directory());
    TRY_ASSIGN(RestoreOptions options, command.arguments.make_options(settings, directory));
    options.existing = command.delta               ? ExistingContent::kCompare
                       : command.preserve_existing ? ExistingContent::kPreserve
                                                   : ExistingContent::kRefuse;
    options.databases = {command.databases, command.excluded_databases};
    return options;
}

std::string next_step(const RestorePlan& plan) {
    const std::string_view then = plan.recovery.standby ? "it catches up and stays a standby"
                                  : plan.recovery.target.kind == TargetKind::kLatest ? "it recovers all WAL there is and accepts connections"
                                  : plan.recovery.target.action == TargetAction::kPause
                                      ? "at the target it pauses; look, then run \"SELECT pg_wal_replay_resume()\" to end recovery"
                                  : plan.recovery.target.action == TargetAction::kPromote ? "at the target it ends recovery and accepts connections"
                                                                                          : "at the target it shuts down";
    return formatted("Restored. Start it with PostgreSQL {}: {}.\n", plan.manifest.summary.major, then);
}

std::string databases_step(const DatabaseSelection& databases) {
    std::string text = "\nThe databases that were left out are of no use. Drop them when recovery has ended:\n\n", oids;
    for (const std::string& statement : statements_after(databases)) text += statement + "\n";
    for (const LeftOutDatabase& left_out : databases.left_out) oids += (oids.empty() ? "" : ", ") + std::to_string(left_out.database.oid);
    return text + formatted(
                      "\nThe names are the backup's. This tells which they have now:\n\n"
                      "SELECT oid, datname FROM pg_database WHERE oid IN ({});\n\n"
                      "A database that was made after the backup from one of them with STRATEGY file_copy is empty too. The server's log may warn\n"
                      "of invalid pages in their files, base/OID/...: in other databases that is damage.\n",
                      oids);
}

Result<int> run(const RestoreCommand& command) {
    TRY_ASSIGN(const Settings settings, command.settings.resolve());
    TRY_ASSIGN(const RestoreOptions options, make_options(command, settings));
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    ReadingContext context{clock, timer, signals.cancel()};
    context.system_identifier = command.arguments.system_identifier;
    TRY_ASSIGN(const OpenedRepositories opened, open_repositories_for_reading(settings, context));
    for (const Error& error : opened.unavailable) report_warning(error);

    RestoreProgress progress;
    std::optional<ProgressDisplay> display(progress);
    Result<RestorePlan> planned = plan_restore(opened.repositories, options, clock, progress, signals.cancel());
    display.reset();
    if (!planned.ok()) return point_to_former_systems(std::move(planned).error(), opened.repositories, options.choice.label);
    const RestorePlan& plan = *planned;
    for (const DamagedBackup& damaged : plan.damaged) report_warning(damaged.error);
    TRY(print(command.format == OutputFormat::kJson ? render_plan_json(plan) + "\n" : render_plan(plan)));
    if (command.dry_run) return 0;

    ConsoleLog log;
    display.emplace(progress);
    TRY(execute_restore(plan, opened.repositories, log, progress, signals.cancel()));
    display.reset();
    if (command.format == OutputFormat::kText) TRY(print(next_step(plan)));
    if (command.format == OutputFormat::kText && plan.databases && plan.databases->is_partial()) TRY(print(databases_step(*plan.databases)));
    return 0;
}

}  // namespace

void add_restore_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("restore", "Restore a data directory and prepare it for recovery");
    const auto command = std::make_shared<RestoreCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
