#include "server/schedule.h"

#include "server/settings.h"

namespace steward {

Result<TimeZone> schedule_time_zone(const std::string& name) {
    if (!name.empty()) return find_time_zone(name);
    const std::string set = current_setting_texts().at("timezone");
    return find_time_zone(!set.empty() ? set : pg_get_timezone_name(log_timezone));
}

SharedRun& scheduled_run(ScheduledJob job) {
    switch (job) {
        case ScheduledJob::kBackup: return backup_run();
        case ScheduledJob::kVerify: return job_run(JobKind::kVerify);
        case ScheduledJob::kDrill: return job_run(JobKind::kDrill);
    }
    return backup_run();
}

void publish_plan(ScheduledJob job, const PlannedJob& plan) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedPlan& shared = shared_state()->schedule.plans[static_cast<size_t>(job)];
    shared.expression.assign(plan.expression);
    shared.timezone.assign(plan.timezone);
    shared.next_run = plan.next_run;
    shared.reason.assign(plan.reason);
}

}  // namespace steward
