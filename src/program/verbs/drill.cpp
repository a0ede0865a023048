// `pg_steward drill`: does the newest backup restore, start and recover? On this host, beside a server or instead of one.

#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/format.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/drill/drill_run.h"
#include "program/open_repositories.h"
#include "program/signal_watch.h"

namespace steward {

namespace {

struct DrillCommand {
    explicit DrillCommand(CLI::App& app) : settings(app, {"repository", "cluster", "drill_directory", "drill_query", "database"}) {
        app.add_option("--backup", backup, "Backup to restore (default: the newest)")->type_name("LABEL");
        app.add_option("--bindir", bindir, "Programs of the server's release (default: those of the server in --data-dir, else those beside this one)")
            ->type_name("DIR");
        add_output_option(app, format);
    }

    SettingOptions settings;
    std::string backup;
    std::string bindir;
    OutputFormat format = OutputFormat::kText;
};

std::string render_text(const DrillRecord& record) {
    std::string text = formatted("backup {}: {}\n", record.backup, record.failure ? "failed while " + record.phase : "restores and recovers");
    text += formatted("  restored {} in {:.1f} s\n", pretty_size(record.data_bytes), record.restore.count());
    if (record.recovered)
        text += formatted("  recovered timeline {} to {} in {:.1f} s\n", record.timeline, *record.recovered, record.recovery.count());
    if (!record.last_transaction.empty()) text += formatted("  last transaction {}\n", record.last_transaction);
    if (record.checks.count() > 0) text += formatted("  checked in {:.1f} s\n", record.checks.count());
    return text;
}

Result<int> run(const DrillCommand& command) {
    if (::geteuid() == 0)
        return Error(ErrorCode::usage, "a restore drill cannot be run as root").hint("PostgreSQL does not start as root: run this as the server's user.");
    TRY_ASSIGN(const Settings settings, command.settings.resolve());
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY_ASSIGN(const OpenedRepositories opened, open_repositories_for_reading(settings, {clock, timer, signals.cancel()}));
    for (const Error& error : opened.unavailable) report_warning(error);

    ConsoleLog log;
    RestoreProgress progress;
    std::optional<ProgressDisplay> display(progress);
    DrillInputs inputs{settings,     opened.repositories, command.settings.data_directory(), {}, {}, clock, timer, log, progress,
                       signals.cancel()};
    if (!command.backup.empty()) inputs.backup = command.backup;
    if (!command.bindir.empty()) inputs.bindir = command.bindir;
    TRY_ASSIGN(DrillRecord record, run_drill(inputs));
    display.reset();
    const Result<void> recorded = record_drill(opened.repositories, record);
    if (!recorded.ok()) report_warning(recorded.error());
    TRY(print(command.format == OutputFormat::kJson ? render_drill(record) + "\n" : render_text(record)));
    return record.failure ? report_error(*record.failure) : 0;
}

}  // namespace

void add_drill_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("drill", "Prove that a backup restores: restore it to a scratch directory, start it, recover, check");
    const auto command = std::make_shared<DrillCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
