// When an expiry is owed to a scheduled backup.
#include "core/jobs/expiry_debt.h"

#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <vector>

namespace steward {
namespace {

using namespace std::chrono_literals;

TimePoint hour(int n) { return TimePoint(std::chrono::hours(500'000 + n)); }

JobRecord ended_run(uint64_t number, const char* job, JobTrigger trigger, JobResult result, int end) {
    return {number, job, trigger, hour(end - 1), hour(end), 0, result, "", ""};
}

JobRecord scheduled(uint64_t number, const char* job, JobResult result = JobResult::kSucceeded) {
    return ended_run(number, job, JobTrigger::kSchedule, result, static_cast<int>(number));
}

bool owed_after(const std::vector<JobRecord>& records, std::optional<TimePoint> policy_since = hour(0), TimePoint now = hour(100)) {
    ExpiryDebt debt;
    for (const JobRecord& record : records) debt.note(record);
    return expiry_is_owed(debt, policy_since, now);
}

TEST(ExpiryDebt, IsOwedToAScheduledBackupThatSucceeded) {
    EXPECT_TRUE(owed_after({scheduled(1, "backup")}));
    EXPECT_FALSE(owed_after({}));
    EXPECT_FALSE(owed_after({scheduled(1, "backup", JobResult::kFailed)}));
    EXPECT_FALSE(owed_after({scheduled(1, "backup", JobResult::kCancelled)}));
    EXPECT_FALSE(owed_after({scheduled(1, "verify")}));
    EXPECT_FALSE(owed_after({ended_run(1, "backup", JobTrigger::kManual, JobResult::kSucceeded, 1)}));
}

TEST(ExpiryDebt, IsPaidByOneExpiryWhateverItsResult) {
    for (const JobResult result : {JobResult::kSucceeded, JobResult::kFailed, JobResult::kCancelled})
        EXPECT_FALSE(owed_after({scheduled(1, "backup"), scheduled(2, "expire", result)}));
    EXPECT_TRUE(owed_after({scheduled(1, "backup"), scheduled(2, "expire"), scheduled(3, "backup")}));
    EXPECT_FALSE(owed_after({scheduled(1, "backup"), scheduled(2, "expire"), scheduled(3, "backup", JobResult::kFailed)}));
}

TEST(ExpiryDebt, IsNotPaidByAnExpiryThatTheServersEndCutShort) {
    JobRecord cut_short = scheduled(2, "expire", JobResult::kFailed);
    cut_short.finished.reset();
    EXPECT_TRUE(owed_after({scheduled(1, "backup"), cut_short}));
}

TEST(ExpiryDebt, IsNotPaidByAnExpiryThatAnOperatorAskedForWhileTheBackupRan) {
    EXPECT_TRUE(owed_after({ended_run(2, "expire", JobTrigger::kManual, JobResult::kFailed, 1), scheduled(1, "backup")}));
}

TEST(ExpiryDebt, GoesByTheNewestBackupWhenAnOlderRunIsNotedAgain) {
    EXPECT_FALSE(owed_after({scheduled(3, "backup"), scheduled(4, "expire"), scheduled(1, "backup")}));
}

TEST(ExpiryDebt, DoesNotReachBackBehindANewPolicy) {
    EXPECT_FALSE(owed_after({scheduled(5, "backup")}, std::nullopt));
    EXPECT_FALSE(owed_after({scheduled(5, "backup")}, hour(6)));
    EXPECT_TRUE(owed_after({scheduled(5, "backup")}, hour(5)));
}

TEST(ExpiryDebt, IsNotRepeatedByAClockThatWasSetBack) {
    const JobRecord before = ended_run(1, "backup", JobTrigger::kSchedule, JobResult::kSucceeded, 90);
    const JobRecord after = ended_run(2, "expire", JobTrigger::kSchedule, JobResult::kSucceeded, 10);
    EXPECT_FALSE(owed_after({before, after}, hour(0), hour(11)));
}

TEST(ExpiryDebt, DoesNotWaitForAClockThatWasFarAhead) {
    EXPECT_TRUE(owed_after({scheduled(5, "backup")}, hour(1000), hour(6)));
    EXPECT_FALSE(owed_after({scheduled(5, "backup")}, hour(20), hour(6)));
}

}  // namespace
}  // namespace steward
