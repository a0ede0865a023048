#include "program/preseed/preseed.h"

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

#include "core/base/format.h"
#include "core/restore/restore.h"
#include "program/console.h"
#include "program/preseed/look_at_directory.h"
#include "program/preseed/look_at_repositories.h"
#include "program/preseed/make_cluster.h"
#include "program/preseed/seed_report.h"
#include "program/preseed/status_file.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Where a cluster is, the repositories only confirm whose it is: the start of the server does not wait long for that.
constexpr std::chrono::milliseconds kShortPatience{5'000};

class Preseed {
public:
    Preseed(const PreseedTask& task, const CancelToken& cancel) : task_(task), cancel_(cancel) {}

    Result<SeedAction> run() {
        TRY(inspect());
        if (may_make_something()) {
            TRY_ASSIGN(lock_, lock_preseed(report_.evidence.directory));
            // Another run may have made it between the look and the lock.
            TRY(inspect());
        }
        if (tells_status()) status_.emplace(status_path(), report_.evidence.directory, clock_);
        enter(SeedState::kInspecting);
        Result<void> outcome = look_and_act();
        if (outcome.ok())
            enter(SeedState::kDone);
        else if (status_)
            status_->end(report_.decision.refusal ? SeedState::kRefused : SeedState::kFailed, outcome.error());
        TRY(outcome);
        return report_.decision.action;
    }

private:
    Result<void> inspect() {
        TRY_ASSIGN(report_.evidence, look_at_directory(task_.directory, task_.mount_points));
        return {};
    }

    bool may_make_something() const {
        const SeedEvidence& evidence = report_.evidence;
        return !task_.dry_run && evidence.content != SeedContent::kCluster && needs_repositories(evidence, task_.request);
    }

    fs::path status_path() const {
        return task_.status_file.empty() ? fs::path(report_.evidence.directory.native() + ".preseed-status.json") : task_.status_file;
    }

    /// Beside a directory whose own volume is missing, the file would be written to where the volume belongs.
    bool tells_status() const {
        const SeedEvidence& evidence = report_.evidence;
        const std::string inside = evidence.directory.native() + "/";
        const auto is_inside = [&](const UnmountedPlace& place) { return place.path.native().starts_with(inside); };
        return !task_.dry_run && (!task_.status_file.empty() || std::ranges::all_of(evidence.unmounted, is_inside));
    }

    void enter(SeedState state) {
        if (status_) status_->enter(state);
    }

    Result<void> look_and_act() {
        report_.dry_run = task_.dry_run;
        std::vector<std::string> notes;
        TRY(look_at_all_repositories(notes));
        report_.decision = decide_seed(task_.request, report_.evidence, report_.repositories);
        report_.decision.notes.insert(report_.decision.notes.end(), notes.begin(), notes.end());
        if (status_) status_->decide(report_.decision);
        if (report_.decision.refusal) {
            if (task_.dry_run || task_.format == OutputFormat::kJson) TRY(show());
            return *report_.decision.refusal;
        }
        const bool makes_something = report_.decision.action != SeedAction::kPresent && !task_.dry_run;
        // A name of a killed restore's marker keeps the directory from being renamed over.
        if (makes_something) TRY(remove_half_marker(report_.evidence.directory));
        switch (report_.decision.action) {
            case SeedAction::kRestore: return restore();
            case SeedAction::kInitialize: return initialize();
            default: return show();
        }
    }

    Result<void> look_at_all_repositories(std::vector<std::string>& notes) {
        if (!needs_repositories(report_.evidence, task_.request)) return {};
        const bool present = report_.evidence.content == SeedContent::kCluster;
        Result<Settings> settings = task_.settings();
        if (!settings.ok()) {
            if (!present) return std::move(settings).error();
            notes.push_back(formatted("The repositories were not asked: {}.", settings.error().message()));
            return {};
        }
        settings_ = std::move(settings).value();
        ReadingContext context{clock_, timer_, cancel_};
        if (present) context.patience = kShortPatience;
        TRY_ASSIGN(seen_, look_at_repositories(*settings_, context));
        for (const SeenRepository& seen : seen_) report_.repositories.push_back(seen.evidence);
        return {};
    }

    Result<void> show() const { return print(task_.format == OutputFormat::kJson ? render_seed_json(report_) : render_seed(report_)); }

    bool is_in_place() const { return report_.decision.workplace == report_.evidence.directory; }

    Result<RestoreOptions> restore_options() const {
        TRY_ASSIGN(RestoreOptions options, task_.restore->make_options(*settings_, report_.decision.workplace));
        // A workplace is ours, whatever is in it. The data directory itself is gone on with only where its mark says so.
        options.existing = is_in_place() ? ExistingContent::kRefuse : ExistingContent::kCompare;
        if (options.is_root && !options.owner) options.owner = report_.evidence.owner;
        return options;
    }

    std::vector<Repository> chosen_repositories() {
        std::vector<Repository> repositories;
        for (const size_t i : report_.decision.repositories) repositories.push_back(std::move(*seen_[i].repository));
        return repositories;
    }

    /// What the reached repositories lack may be in another one.
    Error explain(Error error) const {
        const auto& all = report_.repositories;
        const bool all_reached =
            std::ranges::none_of(all, [](const RepositoryEvidence& repository) { return repository.state == RepositoryState::kUnreachable; });
        const ErrorCode code = error.code();
        if (all_reached || (code != ErrorCode::not_found && code != ErrorCode::missing_wal && code != ErrorCode::unreachable_target)) return error;
        return Error(ErrorCode::network, "the repositories that could be reached cannot serve the restore")
            .detail(formatted("{}. {}", error.message(), error.detail()))
            .hint("Run this again when all of them can be reached.");
    }

    Result<void> restore() {
        const fs::path& workplace = report_.decision.workplace;
        if (!task_.dry_run) TRY(remove_half_marker(workplace));
        TRY_ASSIGN(const RestoreOptions options, restore_options());
        const std::vector<Repository> repositories = chosen_repositories();
        RestoreProgress progress;
        std::optional<ProgressDisplay> display(progress);
        Result<RestorePlan> planned = plan_restore(repositories, options, clock_, progress, cancel_);
        display.reset();
        if (!planned.ok()) return explain(std::move(planned).error());
        const RestorePlan& plan = *planned;
        for (const DamagedBackup& damaged : plan.damaged) report_warning(damaged.error);
        report_.restore_plan = task_.format == OutputFormat::kJson ? render_plan_json(plan) : render_plan(plan);
        TRY(show());
        if (task_.dry_run) return {};

        if (status_) status_->name_backup(plan.manifest.summary.label);
        enter(SeedState::kRestoring);
        ConsoleLog log;
        display.emplace(progress);
        TRY(execute_restore(plan, repositories, log, progress, cancel_));
        display.reset();
        return finish({plan.manifest.summary.major, report_.decision.system_identifier});
    }

    Result<void> initialize() {
        TRY(show());
        if (task_.dry_run) return {};
        const fs::path& workplace = report_.decision.workplace;
        TRY(remove_initdb_leftover(workplace));
        enter(SeedState::kInitializing);
        TRY(run_initdb(fs::absolute(task_.restore->bindir), workplace, task_.initdb_options, task_.superuser_password, cancel_));
        return finish({});
    }

    /// What the cluster has to be, where that is known.
    struct Expected {
        std::optional<int> major;
        std::optional<uint64_t> system_identifier;
    };

    Result<void> finish(const Expected& expected) {
        const SeedDecision& decision = report_.decision;
        enter(SeedState::kVerifying);
        TRY_ASSIGN(const SeedCluster made, read_seeded_cluster(decision.workplace));
        if (made.major != expected.major.value_or(made.major) || made.system_identifier != expected.system_identifier.value_or(made.system_identifier))
            return Error(ErrorCode::wrong_state, formatted("what was made in \"{}\" is not what was expected", decision.workplace.native()))
                .detail(formatted("It is cluster {} of PostgreSQL {}.", made.system_identifier, made.major))
                .object(decision.workplace.native());
        if (status_) status_->name_cluster(made.system_identifier);
        if (!is_in_place()) {
            enter(SeedState::kRenaming);
            TRY(check_cancel(cancel_));
            TRY(put_in_place(decision.workplace, report_.evidence.directory));
        }
        if (task_.format == OutputFormat::kJson) return {};
        return print(formatted("Data directory \"{}\" holds cluster {} of PostgreSQL {}. Start the server.\n", report_.evidence.directory.native(),
                               made.system_identifier, made.major));
    }

    const PreseedTask& task_;
    const CancelToken cancel_;
    const SystemClock clock_;
    SteadyRetryTimer timer_;
    UniqueFd lock_;
    SeedReport report_;
    std::optional<StatusFile> status_;
    std::optional<Settings> settings_;
    std::vector<SeenRepository> seen_;
};

}  // namespace

Result<SeedAction> run_preseed(const PreseedTask& task, const CancelToken& cancel) { return Preseed(task, cancel).run(); }

}  // namespace steward
