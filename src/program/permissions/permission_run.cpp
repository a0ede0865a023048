#include "program/permissions/permission_run.h"

#include <unistd.h>

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "program/console.h"
#include "program/permissions/change_file.h"
#include "program/permissions/file_rights.h"
#include "program/permissions/finding_report.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Each round sees what the one before let it see: directories that could not be searched.
constexpr int kMostRounds = 40;
constexpr size_t kMostShownFailures = 20;

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

Json cluster_json(const SurveyedCluster& cluster, OwnerNames& names) {
    return {{"data_directory", cluster.data_directory.native()}, {"owner", names.user(cluster.rules.owner.user)},
            {"group", names.group(cluster.rules.owner.group)}, {"group_access", cluster.rules.group_access}, {"running", cluster.server.has_value()}};
}

Result<void> print_json(const Json& json) { return print(render_json(json, JsonStyle::kIndented) + "\n"); }

void warn_about(const SurveyedCluster& cluster) {
    for (const Error& problem : cluster.problems) report_warning(problem);
}

int status_of(uint64_t errors) { return errors == 0 ? 0 : info(ErrorCode::wrong_state).exit_status; }

/// Beside the data directory: never in it.
fs::path choose_list(const PermissionTask& task) {
    if (!task.save_old.empty()) return task.save_old;
    std::error_code problem;
    fs::path directory = fs::canonical(task.survey.data_directory, problem);
    if (problem) directory = task.survey.data_directory;
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

Result<void> show_fix(const PermissionTask& task, const FixReport& report, const ChangeRun& run, const ChangeFile& list, OwnerNames& names) {
    const Tally& tally = run.tally();
    const std::string path = list.exists() ? list.path().native() : "";
    if (task.format == OutputFormat::kJson) {
        Json json = cluster_json(report.cluster, names);
        json.update(report.findings.as_json());
        json.update({{"dry_run", task.dry_run}, {"changed", tally.changed}, {"skipped", tally.skipped}, {"failed", tally.failed}, {"saved_old", path}});
        return print_json(json);
    }
    std::string text = describe_cluster(report.cluster, names);
    if (task.dry_run) text += formatted("Nothing was changed; {} changes would be made. What is wrong:\n", report.findings.changeable());
    else text += formatted("{} files changed, {} left, {} refused. What is still wrong:\n", tally.changed, tally.skipped, tally.failed);
    text += report.findings.render_text();
    if (!path.empty()) text += formatted("\"pg_steward permissions fix --undo {}\" takes the changes back.\n", path);
    return print(text);
}

std::string how_to_go_on(const ChangeFile& list) {
    return formatted("Run it again to go on. \"pg_steward permissions fix --undo {}\" takes back what was changed.", list.path().native());
}

}  // namespace

Result<int> check_permissions(const PermissionTask& task, const CancelToken& cancel) {
    OwnerNames names;
    FindingReport report(names);
    const FindingSink sink = [&](const Finding& finding) {
        report.add(finding);
        return Result<void>();
    };
    TRY_ASSIGN(const SurveyedCluster cluster, survey_permissions(task.survey, sink, cancel));
    warn_about(cluster);
    if (task.format == OutputFormat::kJson) {
        Json json = cluster_json(cluster, names);
        json.update(report.as_json());
        TRY(print_json(json));
    } else {
        TRY(print(describe_cluster(cluster, names) + report.render_text()));
        if (report.changeable() + report.for_root() > 0)
            TRY(print(formatted("\"pg_steward permissions fix\" changes {} of them{}.\n", report.changeable(),
                                report.for_root() > 0 ? formatted(", and {} more when root runs it", report.for_root()) : "")));
    }
    return status_of(report.count(Severity::kError));
}

Result<int> fix_permissions(const PermissionTask& task, const CancelToken& cancel) {
    OwnerNames names;
    ChangeFile list(choose_list(task));
    ChangeRun run(names, task.format, task.dry_run);
    const FindingSink change = [&](const Finding& finding) {
        // What a dry run shows is what is put down otherwise.
        return task.dry_run ? run.make(change_of(finding)) : list.add(change_of(finding));
    };
    const auto make = [&](const RightsChange& planned) -> Result<void> {
        TRY(check_cancel(cancel));
        return run.make(planned);
    };
    for (int round = 1;; ++round) {
        TRY_ASSIGN(const FixReport report, plan_round(task.survey, names, change, cancel));
        if (round == 1 && report.cluster.server && !task.dry_run)
            report_warning(Error(ErrorCode::busy, "a server runs in the data directory").detail("Its files are changed under it, which does no harm."));
        if (round == 1) warn_about(report.cluster);
        const uint64_t changed_before = run.tally().changed;
        TRY(list.sync());
        if (round <= kMostRounds && list.has_new() && run.tally().failed == 0) {
            if (Result<void> made = list.for_each_new(make); !made.ok()) return std::move(made).error().hint(how_to_go_on(list));
            if (run.tally().changed > changed_before || run.tally().failed > 0) continue;
        }
        TRY(show_fix(task, report, run, list, names));
        if (run.tally().first_failure) return info(*run.tally().first_failure).exit_status;
        return status_of(task.dry_run ? report.findings.lasting_errors() : report.findings.count(Severity::kError));
    }
}

Result<int> undo_permissions(const fs::path& list, bool dry_run, OutputFormat format, const CancelToken& cancel) {
    TRY_ASSIGN(std::vector<RightsChange> changes, read_change_file(list));
    OwnerNames names;
    ChangeRun run(names, format, dry_run);
    std::ranges::reverse(changes);
    for (const RightsChange& change : changes) {
        TRY(check_cancel(cancel));
        TRY(run.make(change.reversed()));
    }
    const Tally& tally = run.tally();
    if (format == OutputFormat::kJson)
        TRY(print_json({{"dry_run", dry_run}, {"changed", tally.changed}, {"skipped", tally.skipped}, {"failed", tally.failed}}));
    else
        TRY(print(formatted("{} files changed back, {} left, {} refused.\n", tally.changed, tally.skipped, tally.failed)));
    return tally.first_failure ? info(*tally.first_failure).exit_status : 0;
}

}  // namespace steward
