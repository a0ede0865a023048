#include "core/jobs/expiry_debt.h"

#include <algorithm>

#include "core/jobs/scheduled_job.h"
#include "core/schedule/plan_runs.h"

namespace steward {

void ExpiryDebt::note(const JobRecord& record) {
    // Without a time of its end a run is in progress, or the server's end was its.
    if (record.trigger != JobTrigger::kSchedule || !record.finished) return;
    if (record.job == kExpiryName) expiry = std::max(expiry, record.number);
    if (record.job != name_of(ScheduledJob::kBackup) || record.result != JobResult::kSucceeded || record.number < backup) return;
    backup = record.number;
    backup_ended = *record.finished;
}

bool expiry_is_owed(const ExpiryDebt& debt, const std::optional<TimePoint>& policy_since, TimePoint now) {
    if (!policy_since || debt.backup <= debt.expiry) return false;
    // A policy of the far future was seen by a clock that was wrong, and is older than it says.
    return *policy_since <= debt.backup_ended || *policy_since > now + kLargestSetback;
}

}  // namespace steward
