// The scheduler: starts the jobs that have a schedule when they are due. What is due is core/schedule's to say; here facts are
// gathered and what was decided is done.
//
// It runs from the postmaster's start to its end, so that a standby has one from the moment of its promotion.

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/format.h"
#include "core/jobs/expiry_debt.h"
#include "core/schedule/owed_backup.h"
#include "core/schedule/plan_runs.h"
#include "server/backup_job.h"
#include "server/boundary.h"
#include "server/history.h"
#include "server/report.h"
#include "server/schedule.h"
#include "server/settings.h"
#include "server/worker.h"
#include "server/worker_entry.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

/// The wall clock may be set, and nothing tells of it.
constexpr auto kLongestSleep = 60s;
/// Nothing tells of a promotion either.
constexpr auto kSleepInRecovery = 2s;
/// Nor of a worker that could not be started.
constexpr auto kSleepWhileStarting = 1s;

std::optional<TimePoint> time_point(TimestampTz timestamp) {
    if (timestamp == 0) return std::nullopt;
    return TimePoint(std::chrono::microseconds(unix_us_of_timestamp(timestamp)));
}

const std::optional<Schedule>& schedule_of(const Settings& settings, ScheduledJob job) {
    switch (job) {
        case ScheduledJob::kBackup: return settings.backup_schedule;
        case ScheduledJob::kVerify: return settings.verify_schedule;
        case ScheduledJob::kDrill: return settings.drill_schedule;
    }
    return settings.backup_schedule;
}

class Scheduler {
public:
    /// Work until asked to stop.
    Result<void> run();

private:
    Result<void> configure();
    Result<void> remember_schedules(const EnabledSchedules& set_now);
    Result<void> pay_expiry_debt();
    Result<void> fail_lost_workers();
    Result<void> serve_owed_backup();
    Result<void> serve(ScheduledJob job);
    Result<JobFacts> gather(ScheduledJob job, const Schedule& schedule) const;
    Result<void> start(ScheduledJob job, const RunPlan& plan);
    Result<StartedJob> start_backup(JobTrigger trigger) const;
    Result<void> keep_an_eye_on(std::string_view job, const Result<StartedJob>& started);
    void sleep_at_most(std::chrono::milliseconds time) { sleep_ = std::clamp<std::chrono::milliseconds>(time, 0ms, sleep_); }

    bool configured_ = false;
    std::optional<Settings> settings_;
    std::optional<TimeZone> zone_;
    std::optional<EnabledSchedules> enabled_;  ///< nothing: not read yet
    std::vector<StartedJob> starting_;         ///< runs whose workers have not come up
    std::chrono::milliseconds sleep_{};
};

Result<void> Scheduler::run() {
    while (!ShutdownRequestPending) {
        sleep_ = RecoveryInProgress() ? kSleepInRecovery : kLongestSleep;
        if (std::exchange(ConfigReloadPending, false)) {
            TRY(call_server([] { ProcessConfigFile(PGC_SIGHUP); }));
            configured_ = false;
        }
        if (!configured_) TRY(configure());
        TRY(fail_lost_workers());
        TRY(serve_owed_backup());
        for (size_t i = 0; i < kScheduledJobCount; ++i) TRY(serve(static_cast<ScheduledJob>(i)));
        TRY(pay_expiry_debt());
        TRY(wait_for_work(nullptr, sleep_));
    }
    return {};
}

Result<void> Scheduler::configure() {
    configured_ = true;
    settings_.reset();
    zone_.reset();
    Result<Settings> settings = current_settings();
    if (!settings.ok()) return report_warning(settings.error());
    Result<TimeZone> zone = schedule_time_zone();
    if (!zone.ok()) {
        TRY(report_warning(std::move(zone).error().context("while scheduling jobs, which go by UTC now")));
        zone = TimeZone::utc();
    }
    settings_ = std::move(settings).value();
    zone_ = std::move(zone).value();
    EnabledSchedules set_now;
    for (size_t i = 0; i < kScheduledJobCount; ++i)
        if (const auto& schedule = schedule_of(*settings_, static_cast<ScheduledJob>(i)))
            set_now[std::string(kScheduledJobNames[i])] = {schedule->expression(), zone_->name(), {}};
    // A policy is remembered as a schedule is: what it removes is owed from when it was first seen.
    if (!settings_->retention.empty()) set_now[std::string(kExpiryName)] = {to_string(settings_->retention), zone_->name(), {}};
    return remember_schedules(set_now);
}

/// A schedule that is new owes nothing of before; one that was there already when the server went down does.
Result<void> Scheduler::remember_schedules(const EnabledSchedules& set_now) {
    if (!enabled_) {
        Result<EnabledSchedules> read = read_enabled_schedules(steward_directory());
        if (!read.ok()) TRY(report_warning(Error(read.error()).context("while reading since when jobs are scheduled, which is now")));
        enabled_ = read.ok() ? std::move(read).value() : EnabledSchedules{};
    }
    EnabledSchedules taken = take_over(*enabled_, set_now, SystemClock().now());
    if (taken == *enabled_) return {};
    enabled_ = std::move(taken);
    const Result<void> written = write_enabled_schedules(steward_directory(), *enabled_);
    return written.ok() ? written : report_warning(Error(written.error()).context("while remembering since when jobs are scheduled"));
}

/// End runs that we asked for and that no worker came up for.
Result<void> Scheduler::fail_lost_workers() {
    for (auto job = starting_.begin(); job != starting_.end();) {
        pid_t pid = 0;
        TRY_ASSIGN(const BgwHandleStatus worker, call_server([&] { return GetBackgroundWorkerPid(job->worker, &pid); }));
        const bool starts = run_state(job->number) == JobState::kStarting;
        if (starts && worker == BGWH_STOPPED)
            TRY(fail_run(job->number, Error(ErrorCode::engine_failed, "worker could not start").hint("The server's log says why.")));
        if (starts && worker != BGWH_STOPPED) {
            sleep_at_most(kSleepWhileStarting);
            ++job;
            continue;
        }
        TRY(call_server([handle = job->worker] { pfree(handle); }));
        job = starting_.erase(job);
    }
    return {};
}

/// Start the expiry that is owed to a scheduled backup. A backup that runs is waited for: they would be in each other's way.
Result<void> Scheduler::pay_expiry_debt() {
    if (!settings_ || settings_->repositories.empty() || RecoveryInProgress()) return {};
    const auto policy = enabled_->find(kExpiryName);
    if (policy == enabled_->end()) return {};
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        if (job_run(JobKind::kExpire).is_active() || backup_run().is_active()) return {};
        if (!expiry_is_owed(shared_state()->history.expiry_debt, policy->second.since, SystemClock().now())) return {};
    }
    return keep_an_eye_on(kExpiryName, start_job({.kind = JobKind::kExpire, .options = R"({"dry_run":false})", .trigger = JobTrigger::kSchedule}));
}

Result<JobFacts> Scheduler::gather(ScheduledJob job, const Schedule& schedule) const {
    if (!repository_is_set()) return Error(ErrorCode::wrong_state, "no repository is set");
    if (job == ScheduledJob::kBackup && !RecoveryInProgress()) TRY(check_can_back_up());
    const SharedLock lock(shared_state(), LW_SHARED);
    const SharedRun& run = scheduled_run(job);
    const SharedLastRun& last = shared_state()->history.last[static_cast<size_t>(job)];
    return JobFacts{.schedule = schedule,
                    .zone = *zone_,
                    .jitter = jitter_of(GetSystemIdentifier(), settings_->schedule_jitter),
                    .enabled_since = enabled_->at(std::string(name_of(job))).since,
                    .last_run = time_point(run.is_active() ? run.started : last.success_started),
                    .last_end = time_point(last.ended),
                    .running = run.is_active(),
                    .in_recovery = RecoveryInProgress(),
                    .now = SystemClock().now()};
}

/// Plan a job, show the plan, and start the job when it is due.
Result<void> Scheduler::serve(ScheduledJob job) {
    PlannedJob shown;
    if (!settings_ || !schedule_of(*settings_, job)) {
        publish_plan(job, shown);
        return {};
    }
    const Schedule& schedule = *schedule_of(*settings_, job);
    shown.expression = schedule.expression();
    shown.timezone = zone_->name();
    Result<JobFacts> facts = gather(job, schedule);
    if (!facts.ok()) {
        if (facts.error().code() == ErrorCode::server_raised) return facts.error();
        shown.reason = facts.error().message();
        publish_plan(job, shown);
        return {};
    }
    RunPlan plan = plan_run(*facts);
    if (plan.decision == RunDecision::kRunNow) {
        TRY(start(job, plan));
        TRY_ASSIGN(facts, gather(job, schedule));
        plan = plan_run(*facts);
    }
    // Still due means that it could not be started: its failure is recorded, and the clock may not have moved since.
    if (plan.at) {
        shown.next_run = timestamp_of_unix_us(plan.at->time_since_epoch().count());
        sleep_at_most(std::max<std::chrono::milliseconds>(std::chrono::ceil<std::chrono::milliseconds>(*plan.at - facts->now), 10ms));
    }
    shown.reason = plan.reason;
    publish_plan(job, shown);
    return {};
}

Result<void> Scheduler::start(ScheduledJob job, const RunPlan& plan) {
    TRY(report({LogLevel::kLog, "job_due", formatted("starting scheduled job \"{}\": {}", name_of(job), plan.reason), {}, {}, {}, {}}));
    const JobKind kind = job == ScheduledJob::kDrill ? JobKind::kDrill : JobKind::kVerify;
    return keep_an_eye_on(name_of(job), job == ScheduledJob::kBackup ? start_backup(JobTrigger::kSchedule) : start_job({.kind = kind, .trigger = JobTrigger::kSchedule}));
}

/// Take the backup that is owed where WAL was given up, or to a cluster that has none of its own, whether backups are scheduled or not.
Result<void> Scheduler::serve_owed_backup() {
    OwedBackupFacts facts;
    facts.in_recovery = RecoveryInProgress();
    facts.now = SystemClock().now();
    if (facts.in_recovery || !check_can_back_up().ok()) return {};
    TimeLineID timeline = 0;
    facts.reached.lsn.value = GetFlushRecPtr(&timeline);
    facts.reached.timeline = timeline;
    JobTrigger trigger = JobTrigger::kGap;
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        const SharedWindow& window = shared_state()->window;
        if (window.owed_timeline == 0 && !window.first_backup_owed) return {};
        if (window.owed_timeline == 0) trigger = JobTrigger::kSuccession;
        facts.owed = WalPlace{window.owed_timeline, {window.owed_lsn}};
        facts.looked = time_point(window.read_at).value_or(TimePoint());
        const SharedRun& run = backup_run();
        facts.running = run.is_active();
        facts.last_end = time_point(run.finished);
        facts.last_failed = run.state == JobState::kFailed && run.trigger == trigger;
    }
    const std::optional<TimePoint> at = owed_backup_at(facts);
    if (!at) return {};
    if (*at > facts.now) {
        sleep_at_most(std::chrono::ceil<std::chrono::milliseconds>(*at - facts.now));
        return {};
    }
    const std::string why = trigger == JobTrigger::kGap ? formatted("since WAL up to {} was given up", facts.owed->lsn)
                                                        : std::string("the first since this cluster went on for another one in the repository");
    TRY(report({LogLevel::kLog, "backup_owed", formatted("starting a backup, {}", why), {}, {}, {}, {}}));
    return keep_an_eye_on(name_of(ScheduledJob::kBackup), start_backup(trigger));
}

/// See that the worker of a run that was started comes up. A run that could not be started has its failure recorded.
Result<void> Scheduler::keep_an_eye_on(std::string_view job, const Result<StartedJob>& started) {
    if (started.ok()) {
        starting_.push_back(*started);
        sleep_at_most(kSleepWhileStarting);
        return {};
    }
    if (started.error().code() == ErrorCode::server_raised) return started.error();
    return report_warning(Error(started.error()).context(formatted("while starting job \"{}\"", job)));
}

Result<StartedJob> Scheduler::start_backup(JobTrigger trigger) const {
    TRY_ASSIGN(const uint64 number, reserve_backup({.label = label_for_backup(), .trigger = trigger}));
    const Result<BackgroundWorkerHandle*> worker = start_backup_worker();
    if (worker.ok()) return StartedJob{number, *worker};
    TRY(fail_run(number, worker.error()));
    return worker.error();
}

}  // namespace

}  // namespace steward

extern "C" void pg_steward_scheduler_main(Datum) {
    using namespace steward;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    BackgroundWorkerUnblockSignals();
    occupy_slot(&shared_state()->schedule.worker);
    enter([] { return Scheduler().run(); });
    // Status 1 makes the postmaster start us again after pg_terminate_backend; at shutdown this is the end.
    proc_exit(1);
}
