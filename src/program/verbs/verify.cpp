// `pg_steward verify`: can everything that is there be restored?

#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/proof/verify.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/open_repositories.h"
#include "program/random_number.h"
#include "program/signal_watch.h"

namespace steward {

namespace {

struct VerifyCommand {
    explicit VerifyCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
        app.add_flag("--quick", quick, "Check heads, sizes, manifests and continuity only; do not read what packs and WAL contain");
        CLI::Option* const all = app.add_flag("--recheck", recheck, "Read everything again, also what earlier runs have verified");
        app.add_option("--recheck-after", recheck_after, "Read again what was verified so many days ago or earlier (default: never)")
            ->check(CLI::Range(0, 36500))
            ->excludes(all)
            ->type_name("DAYS");
        app.add_option("-j,--jobs", jobs, "Objects read at the same time (default 4)")->check(CLI::Range(1, 64))->type_name("N");
        add_system_option(app, system_identifier);
        add_output_option(app, format);
    }

    SettingOptions settings;
    bool quick = false;
    bool recheck = false;
    std::optional<int> recheck_after;
    int jobs = 4;
    std::optional<uint64_t> system_identifier;
    OutputFormat format = OutputFormat::kText;
};

/// What root writes into another user's repository that user cannot replace: the server's own verification would fail on it.
std::optional<Error> why_not_to_remember(const StorageUrl& url) {
    struct stat directory;
    if (::geteuid() != 0 || url.scheme != StorageScheme::kFile || ::stat(url.path.c_str(), &directory) != 0 || directory.st_uid == 0) return std::nullopt;
    return Error(ErrorCode::permission_denied, formatted("root writes nothing into repository \"{}\", which is another user's", url.to_string()))
        .hint("Run this as the owner of the repository.")
        .object(url.to_string());
}

VerifyOptions make_options(const VerifyCommand& command, bool may_write) {
    VerifyOptions options{.depth = command.quick ? VerifyDepth::kQuick : VerifyDepth::kContent, .workers = command.jobs, .random = random_number()};
    if (command.recheck_after) options.recheck_after = std::chrono::days(*command.recheck_after);
    options.memory = !may_write ? VerifyMemory::kIgnore : command.recheck ? VerifyMemory::kRenew : VerifyMemory::kUse;
    return options;
}

Result<VerifyReport> verify(const VerifyCommand& command, const Repository& repository, const Clock& clock, const CancelToken& cancel) {
    RestoreProgress progress;
    const ProgressDisplay display(progress);
    const Result<StorageUrl> url = parse_repository_url(repository.url());
    std::optional<Error> refused = url.ok() ? why_not_to_remember(*url) : std::nullopt;
    TRY_ASSIGN(VerifyReport report, verify_repository(repository, make_options(command, !refused), clock, progress, cancel));
    if (refused && !command.quick) report.not_remembered = std::move(refused);
    return report;
}

std::string render_text(const Repository& repository, const VerifyReport& report, bool quick) {
    std::string text = formatted("repository {}, cluster {}: {} objects, {}, {} backups: {}\n", repository.url(), repository.cluster(), report.objects,
                                 pretty_size(report.bytes), report.backups,
                                 report.problems.empty() ? "all good" : formatted("{} problems", report.problems.size()));
    if (!quick && report.objects_read < report.objects)
        text += formatted("  {} objects, {}, were read now; the others were verified before\n", report.objects_read, pretty_size(report.bytes_read));
    for (const Error& problem : report.problems) {
        text += formatted("  {}\n", problem.message());
        if (!problem.detail().empty()) text += formatted("    {}\n", problem.detail());
    }
    return text;
}

Json report_as_json(const Repository& repository, const VerifyReport& report) {
    Json problems = Json::array();
    for (const Error& problem : report.problems)
        problems.push_back({{"code", info(problem.code()).name}, {"object", problem.object()}, {"message", problem.message()}, {"detail", problem.detail()}});
    return {{"repository", repository.url()}, {"cluster", repository.cluster()}, {"objects", report.objects},
            {"bytes", report.bytes},          {"backups", report.backups},       {"problems", std::move(problems)},
            {"objects_read", report.objects_read}, {"bytes_read", report.bytes_read}, {"remembered", !report.not_remembered.has_value()}};
}

Error could_not_remember(const Repository& repository, const Error& cause) {
    return Error(cause.code(), formatted("could not remember in repository \"{}\" what was verified: {}", repository.url(), cause.message()))
        .detail("The next run reads everything again.")
        .hint(cause.hint())
        .object(repository.url());
}

/// Damage is worse news than a gap.
int status_of(const std::vector<VerifyReport>& reports) {
    bool missing_wal = false;
    for (const VerifyReport& report : reports)
        for (const Error& problem : report.problems) {
            if (problem.code() != ErrorCode::missing_wal) return info(ErrorCode::corrupt_object).exit_status;
            missing_wal = true;
        }
    return missing_wal ? info(ErrorCode::missing_wal).exit_status : 0;
}

Result<int> run(const VerifyCommand& command) {
    TRY_ASSIGN(const Settings settings, command.settings.resolve());
    const SignalWatch signals;
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY_ASSIGN(const OpenedRepositories opened, open_repositories_for_reading(settings, {.clock = clock, .timer = timer, .cancel = signals.cancel(), .system_identifier = command.system_identifier}));

    std::vector<VerifyReport> reports;
    std::string text;
    Json json = Json::array();
    for (const Repository& repository : opened.repositories) {
        TRY_ASSIGN(VerifyReport report, verify(command, repository, clock, signals.cancel()));
        if (report.not_remembered) report_warning(could_not_remember(repository, *report.not_remembered));
        text += render_text(repository, report, command.quick);
        json.push_back(report_as_json(repository, report));
        reports.push_back(std::move(report));
    }
    TRY(print(command.format == OutputFormat::kJson ? render_json(json, JsonStyle::kIndented) + "\n" : text));
    // A repository that cannot be opened is not verified.
    int status = status_of(reports);
    for (const Error& error : opened.unavailable) status = report_error(error);
    return status;
}

}  // namespace

void add_verify_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("verify", "Check that everything in the repository can be restored");
    const auto command = std::make_shared<VerifyCommand>(app);
    on_chosen(app, chosen, [command] { return run(*command); });
}

}  // namespace steward
