// `pg_steward permissions check|fix`: owners and modes of all that a server needs.

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/commands.h"
#include "program/console.h"
#include "program/permissions/change_file.h"
#include "program/permissions/file_rights.h"
#include "program/permissions/finding_report.h"
#include "program/permissions/survey.h"
#include "program/signal_watch.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Each round sees what the one before let it see: directories that could not be searched.
constexpr int kMostRounds = 40;
constexpr size_t kMostShownFailures = 20;

constexpr const char* kScope =
    "Judges owner, group and permission bits of the data directory, its tablespaces and WAL directory, of what the configuration names, and of "
    "the directories on the way there. Access control lists and security modules such as SELinux are not looked at.";

struct PermissionsCommand {
    PermissionsCommand(CLI::App& app, bool fixes);

    SettingOptions settings;
    std::string owner;
    std::string config_file;
    bool dry_run = false;
    std::string save_old;
    std::string undo;
    OutputFormat format = OutputFormat::kText;
};

PermissionsCommand::PermissionsCommand(CLI::App& app, bool fixes) : settings(app, {}) {
    app.add_option("--owner", owner, "User to whom it all should belong (default: to whom the data directory belongs)")->type_name("USER");
    app.add_option("--config-file", config_file, "The server's postgresql.conf (default: the one the server was last started with)")->type_name("FILE");
    if (fixes) {
        CLI::Option* const save = app.add_option("--save-old", save_old, "New file for the way back (default: one beside the data directory)")->type_name("FILE");
        app.add_option("--undo", undo, "Take back the changes in this list, as far as the files are as the fix left them")->type_name("FILE")->excludes(save);
        app.add_flag("-n,--dry-run", dry_run, "Show what would be changed; change nothing");
    }
    add_output_option(app, format);
    app.footer(kScope);
}

Result<SurveyRequest> make_request(const PermissionsCommand& command) {
    if (command.settings.data_directory().empty())
        return Error(ErrorCode::usage, "no data directory is given").hint("Name it with --data-dir DIR or PGDATA.");
    return SurveyRequest{.data_directory = fs::absolute(command.settings.data_directory()), .owner = command.owner,
                         .config_file = command.config_file.empty() ? fs::path() : fs::absolute(command.config_file)};
}

/// What making changes came to.
struct Tally {
    uint64_t changed = 0;
    uint64_t skipped = 0;
    uint64_t failed = 0;
    std::optional<ErrorCode> first_failure;
};

/// Makes changes, saying each one before.
class ChangeRun {
public:
    ChangeRun(OwnerNames& names, OutputFormat format, bool dry_run) : names_(names), format_(format), dry_run_(dry_run) {}

    Result<void> make(const RightsChange& change);
    const Tally& tally() const { return tally_; }

private:
    OwnerNames& names_;
    const OutputFormat format_;
    const bool dry_run_;
    RightsChanger changer_;
    Tally tally_;
};

Result<void> ChangeRun::make(const RightsChange& change) {
    const std::string line = formatted("{} {}\n", dry_run_ ? "would change" : "changing", describe_change(change, names_));
    // In JSON, standard output is for the one value at the end.
    if (format_ == OutputFormat::kJson) TRY(write_all(STDERR_FILENO, as_bytes(line), "standard error"));
    else TRY(print(line));
    if (dry_run_) return {};
    const Result<ChangeOutcome> outcome = changer_.change(change);
    if (!outcome.ok()) {
        if (tally_.failed++ < kMostShownFailures) report_error(outcome.error());
        if (!tally_.first_failure) tally_.first_failure = outcome.error().code();
    } else if (*outcome == ChangeOutcome::kDone) {
        ++tally_.changed;
    } else if (*outcome == ChangeOutcome::kSkipped) {
        ++tally_.skipped;
        report_warning(Error(ErrorCode::wrong_state, formatted("left \"{}\" as it is: it is not any more what was looked at", change.path)));
    }
    return {};
}

std::string describe_cluster(const SurveyedCluster& cluster, OwnerNames& names) {
    std::string text = formatted("data directory \"{}\": owner {}:{}, {}", cluster.data_directory.native(), names.user(cluster.rules.owner.user),
                                 names.group(cluster.rules.owner.group), cluster.rules.group_access ? "the group may read" : "without access for the group");
    if (cluster.server) text += formatted("; a server runs in it (process {})", *cluster.server);
    return text + "\n";
}

nlohmann::json cluster_json(const SurveyedCluster& cluster, OwnerNames& names) {
    return {{"data_directory", cluster.data_directory.native()}, {"owner", names.user(cluster.rules.owner.user)},
            {"group", names.group(cluster.rules.owner.group)}, {"group_access", cluster.rules.group_access}, {"running", cluster.server.has_value()}};
}

Result<void> print_json(const nlohmann::json& json) { return print(json.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n"); }

void warn_about(const SurveyedCluster& cluster) {
    for (const Error& problem : cluster.problems) report_warning(problem);
}

int status_of(uint64_t errors) { return errors == 0 ? 0 : info(ErrorCode::wrong_state).exit_status; }

Result<int> check(const PermissionsCommand& command) {
    TRY_ASSIGN(const SurveyRequest request, make_request(command));
    const SignalWatch signals;
    OwnerNames names;
    FindingReport report(names);
    const FindingSink sink = [&](const Finding& finding) {
        report.add(finding);
        return Result<void>();
    };
    TRY_ASSIGN(const SurveyedCluster cluster, survey_permissions(request, sink, signals.cancel()));
    warn_about(cluster);
    if (command.format == OutputFormat::kJson) {
        nlohmann::json json = cluster_json(cluster, names);
        json.update(report.render_json());
        TRY(print_json(json));
    } else {
        TRY(print(describe_cluster(cluster, names) + report.render_text()));
        if (report.changeable() + report.for_root() > 0)
            TRY(print(formatted("\"pg_steward permissions fix\" changes {} of them{}.\n", report.changeable(),
                                report.for_root() > 0 ? formatted(", and {} more when root runs it", report.for_root()) : "")));
    }
    return status_of(report.count(Severity::kError));
}

/// Beside the data directory: never in it.
fs::path choose_list(const PermissionsCommand& command, const SurveyRequest& request) {
    if (!command.save_old.empty()) return fs::absolute(command.save_old);
    std::error_code problem;
    fs::path directory = fs::canonical(request.data_directory, problem);
    if (problem) directory = request.data_directory;
    const fs::path base = directory.parent_path() / formatted("{}.permissions-{}", directory.filename().native(), compact_time(SystemClock().now()));
    fs::path path = base;
    for (int i = 2; fs::exists(path, problem) && !problem; ++i) path = base.native() + formatted("-{}", i);
    return path;
}

struct FixReport {
    FindingReport findings;
    SurveyedCluster cluster;
};

/// Look, and put down what can be changed.
Result<FixReport> plan_round(const SurveyRequest& request, OwnerNames& names, const FindingSink& change, const CancelToken& cancel) {
    FixReport report{.findings = FindingReport(names), .cluster = {}};
    const FindingSink sink = [&](const Finding& finding) {
        report.findings.add(finding);
        return finding.action == Action::kChange ? change(finding) : Result<void>();
    };
    TRY_ASSIGN(report.cluster, survey_permissions(request, sink, cancel));
    return report;
}

Result<void> show_fix(const PermissionsCommand& command, const FixReport& report, const ChangeRun& run, const ChangeFile& list, OwnerNames& names) {
    const Tally& tally = run.tally();
    const std::string path = list.exists() ? list.path().native() : "";
    if (command.format == OutputFormat::kJson) {
        nlohmann::json json = cluster_json(report.cluster, names);
        json.update(report.findings.render_json());
        json.update({{"dry_run", command.dry_run}, {"changed", tally.changed}, {"skipped", tally.skipped}, {"failed", tally.failed}, {"saved_old", path}});
        return print_json(json);
    }
    std::string text = describe_cluster(report.cluster, names);
    if (command.dry_run) text += formatted("Nothing was changed; {} changes would be made. What is wrong:\n", report.findings.changeable());
    else text += formatted("{} files changed, {} left, {} refused. What is still wrong:\n", tally.changed, tally.skipped, tally.failed);
    text += report.findings.render_text();
    if (!path.empty()) text += formatted("\"pg_steward permissions fix --undo {}\" takes the changes back.\n", path);
    return print(text);
}

std::string how_to_go_on(const ChangeFile& list) {
    return formatted("Run it again to go on. \"pg_steward permissions fix --undo {}\" takes back what was changed.", list.path().native());
}

Result<int> fix(const PermissionsCommand& command) {
    TRY_ASSIGN(const SurveyRequest request, make_request(command));
    const SignalWatch signals;
    OwnerNames names;
    ChangeFile list(choose_list(command, request));
    ChangeRun run(names, command.format, command.dry_run);
    const FindingSink change = [&](const Finding& finding) {
        // What a dry run shows is what is put down otherwise.
        return command.dry_run ? run.make(change_of(finding)) : list.add(change_of(finding));
    };
    const auto make = [&](const RightsChange& planned) -> Result<void> {
        TRY(check_cancel(signals.cancel()));
        return run.make(planned);
    };
    for (int round = 1;; ++round) {
        TRY_ASSIGN(const FixReport report, plan_round(request, names, change, signals.cancel()));
        if (round == 1 && report.cluster.server && !command.dry_run)
            report_warning(Error(ErrorCode::busy, "a server runs in the data directory").detail("Its files are changed under it, which does no harm."));
        if (round == 1) warn_about(report.cluster);
        const uint64_t changed_before = run.tally().changed;
        TRY(list.sync());
        if (round <= kMostRounds && list.has_new() && run.tally().failed == 0) {
            if (Result<void> made = list.for_each_new(make); !made.ok()) return std::move(made).error().hint(how_to_go_on(list));
            if (run.tally().changed > changed_before || run.tally().failed > 0) continue;
        }
        TRY(show_fix(command, report, run, list, names));
        if (run.tally().first_failure) return info(*run.tally().first_failure).exit_status;
        return status_of(command.dry_run ? report.findings.lasting_errors() : report.findings.count(Severity::kError));
    }
}

Result<int> undo(const PermissionsCommand& command) {
    const SignalWatch signals;
    TRY_ASSIGN(std::vector<RightsChange> changes, read_change_file(fs::absolute(command.undo)));
    OwnerNames names;
    ChangeRun run(names, command.format, command.dry_run);
    std::ranges::reverse(changes);
    for (const RightsChange& change : changes) {
        TRY(check_cancel(signals.cancel()));
        TRY(run.make(change.reversed()));
    }
    const Tally& tally = run.tally();
    if (command.format == OutputFormat::kJson)
        TRY(print_json({{"dry_run", command.dry_run}, {"changed", tally.changed}, {"skipped", tally.skipped}, {"failed", tally.failed}}));
    else
        TRY(print(formatted("{} files changed back, {} left, {} refused.\n", tally.changed, tally.skipped, tally.failed)));
    return tally.first_failure ? info(*tally.first_failure).exit_status : 0;
}

}  // namespace

void add_permissions_command(CLI::App& program, ChosenCommand& chosen) {
    CLI::App& app = *program.add_subcommand("permissions", "Check or fix owners and modes of a cluster's files");
    app.require_subcommand(1);
    CLI::App& check_app = *app.add_subcommand("check", "Say what is wrong, and change nothing");
    const auto checking = std::make_shared<PermissionsCommand>(check_app, false);
    on_chosen(check_app, chosen, [checking] { return check(*checking); });
    CLI::App& fix_app = *app.add_subcommand("fix", "Change what is wrong: as root all, as the owner modes");
    const auto fixing = std::make_shared<PermissionsCommand>(fix_app, true);
    on_chosen(fix_app, chosen, [fixing] { return fixing->undo.empty() ? fix(*fixing) : undo(*fixing); });
}

}  // namespace steward
