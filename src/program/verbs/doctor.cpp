// `pg_steward doctor`: what is wrong with this installation, and what to type.

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/doctor/diagnose.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/doctor/doctor_report.h"
#include "program/doctor/gather_cluster.h"
#include "program/doctor/gather_repositories.h"
#include "program/signal_watch.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Whether a repository answers is one of the questions: it need not be asked for long.
constexpr std::chrono::milliseconds kPatience{5'000};

constexpr const char* kFooter =
    "Looks at the data directory, its configuration, owners and modes, the programs and the module, waiting WAL, file systems, and each\n"
    "repository with its backups, holes, verification and drills. Changes nothing, and needs no running server; what a running server has\n"
    "not taken over from its files is not seen.\n\n"
    "Exit status: 0 when nothing is wrong (notes do not count), 18 when there are errors or warnings, and the others of\n"
    "\"pg_steward reference errors\".";

struct DoctorCommand {
    explicit DoctorCommand(CLI::App& app);

    SettingOptions settings;
    std::string bindir;
    std::string config_file;
    OutputFormat format = OutputFormat::kText;
};

DoctorCommand::DoctorCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
    app.add_option("--bindir", bindir, "The server's programs (default: those it was last started with)")->type_name("DIR");
    app.add_option("--config-file", config_file, "The server's postgresql.conf (default: the one it was last started with)")->type_name("FILE");
    add_output_option(app, format);
    app.footer(kFooter);
}

fs::path absolute_or_none(const std::string& path) { return path.empty() ? fs::path() : fs::absolute(path); }

std::string server_timezone(const DoctorFacts& facts) {
    if (!facts.directory) return "UTC";
    const auto found = facts.directory->configuration.find("log_timezone");
    return found == facts.directory->configuration.end() ? "UTC" : found->second;
}

Result<void> gather_stored(const Settings& settings, DoctorFacts& facts, const CancelToken& cancel) {
    const SystemClock clock;
    SteadyRetryTimer timer;
    facts.has_repository = !settings.repositories.empty();
    facts.has_backup_schedule = settings.backup_schedule.has_value();
    facts.has_drill_schedule = settings.drill_schedule.has_value();
    TRY_ASSIGN(facts.repositories, gather_repositories(settings, {clock, timer, cancel, kPatience}));
    facts.backup_was_due = find_missed_backup(settings, facts.repositories, server_timezone(facts), facts.now);
    return {};
}

Result<DoctorFacts> gather(const DoctorCommand& command, const CancelToken& cancel) {
    DoctorFacts facts;
    facts.now = SystemClock().now();
    facts.program_version = STEWARD_VERSION;
    if (const fs::path directory = command.settings.data_directory(); !directory.empty()) {
        TRY_ASSIGN(facts.directory, gather_data_directory(fs::absolute(directory), absolute_or_none(command.config_file), cancel));
    }
    const DataDirectoryFacts* const directory = facts.directory ? &*facts.directory : nullptr;
    const Result<Settings> settings = directory == nullptr ? command.settings.resolve() : command.settings.resolve_with(directory->configuration);
    if (settings.ok()) TRY(gather_stored(*settings, facts, cancel));
    // Where the data directory cannot be read, that is what is wrong.
    else if (directory == nullptr || !directory->problem) facts.settings_problem = settings.error();
    facts.installation = gather_installation(absolute_or_none(command.bindir), directory, settings.ok() ? fs::path(settings->program) : fs::path());
    facts.disks = gather_disks(directory, settings.ok() ? settings->repositories : std::vector<StorageUrl>());
    return facts;
}

Result<int> run(const DoctorCommand& command) {
    const SignalWatch signals;
    TRY_ASSIGN(const DoctorFacts facts, gather(command, signals.cancel()));
    const std::vector<Diagnosis> findings = diagnose(facts);
    TRY(print(command.format == OutputFormat::kJson ? render_doctor_json(facts, findings) : render_doctor(facts, findings)));
    const bool wrong = std::ranges::any_of(findings, [](const Diagnosis& finding) { return finding.weight != Weight::kNote; });
    return wrong ? info(ErrorCode::wrong_state).exit_status : 0;
}

}  // namespace

void add_doctor_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("doctor", "Say what is wrong with this installation, and what to type");
    const auto command = std::make_shared<DoctorCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
