// `pg_steward verify`: can everything that is there be restored?

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/proof/verify.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/open_repositories.h"
#include "program/signal_watch.h"

namespace steward {

namespace {

struct VerifyCommand {
    explicit VerifyCommand(CLI::App& app) : settings(app, {"repository", "cluster"}) {
        app.add_flag("--quick", quick, "Check heads, sizes, manifests and continuity only; do not read what packs and WAL contain");
        app.add_option("-j,--jobs", jobs, "Objects read at the same time (default 4)")->check(CLI::Range(1, 64))->type_name("N");
        add_output_option(app, format);
    }

    SettingOptions settings;
    bool quick = false;
    int jobs = 4;
    OutputFormat format = OutputFormat::kText;
};

std::string render_text(const Repository& repository, const VerifyReport& report) {
    std::string text = formatted("repository {}, cluster {}: {} objects, {}, {} backups: {}\n", repository.url(), repository.cluster(), report.objects,
                                 pretty_size(report.bytes), report.backups,
                                 report.problems.empty() ? "all good" : formatted("{} problems", report.problems.size()));
    for (const Error& problem : report.problems) {
        text += formatted("  {}\n", problem.message());
        if (!problem.detail().empty()) text += formatted("    {}\n", problem.detail());
    }
    return text;
}

nlohmann::json render_json(const Repository& repository, const VerifyReport& report) {
    nlohmann::json problems = nlohmann::json::array();
    for (const Error& problem : report.problems)
        problems.push_back({{"code", info(problem.code()).name}, {"object", problem.object()}, {"message", problem.message()}, {"detail", problem.detail()}});
    return {{"repository", repository.url()}, {"cluster", repository.cluster()}, {"objects", report.objects},
            {"bytes", report.bytes},          {"backups", report.backups},       {"problems", std::move(problems)}};
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
    TRY_ASSIGN(const OpenedRepositories opened, open_repositories_for_reading(settings, {clock, timer, signals.cancel()}));

    std::vector<VerifyReport> reports;
    std::string text;
    nlohmann::json json = nlohmann::json::array();
    for (const Repository& repository : opened.repositories) {
        RestoreProgress progress;
        const ProgressDisplay display(progress);
        TRY_ASSIGN(VerifyReport report, verify_repository(repository, command.quick ? VerifyDepth::kQuick : VerifyDepth::kContent, command.jobs, progress,
                                                          signals.cancel()));
        text += render_text(repository, report);
        json.push_back(render_json(repository, report));
        reports.push_back(std::move(report));
    }
    TRY(print(command.format == OutputFormat::kJson ? json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n" : text));
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
