#include "core/jobs/job_history.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/temporary_directory.h"
#include "core/jobs/job_report.h"

namespace steward {
namespace {

JobRecord ended_run(uint64_t number) {
    const TimePoint started(std::chrono::microseconds(1763636683000000 + static_cast<int64_t>(number)));
    return {number, "verify", JobTrigger::kManual, started, started, number, JobResult::kSucceeded, "all good", ""};
}

std::string content_of(const std::filesystem::path& path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

TEST(JobHistory, IsEmptyBeforeTheFirstRun) {
    const TemporaryDirectory directory;
    const Result<JobHistory> history = read_job_history(directory.path() / "pg_steward");
    ASSERT_TRUE(history.ok());
    EXPECT_TRUE(history->records.empty());
    EXPECT_EQ(history->lines, 0u);
}

TEST(JobHistory, RemembersWhatIsAppended) {
    const TemporaryDirectory directory;
    const auto place = directory.path() / "data" / "pg_steward";
    JobRecord begun = ended_run(1);
    begun.result = JobResult::kRunning;
    for (const JobRecord& record : {begun, ended_run(1), ended_run(2)}) ASSERT_TRUE(append_job_record(place, record).ok());
    const Result<JobHistory> history = read_job_history(place);
    ASSERT_TRUE(history.ok());
    EXPECT_EQ(history->records, (std::vector{ended_run(1), ended_run(2)}));
    EXPECT_EQ(history->lines, 3u);
}

TEST(JobHistory, GoesOnAfterALineThatWasCutOff) {
    const TemporaryDirectory directory;
    ASSERT_TRUE(append_job_record(directory.path(), ended_run(1)).ok());
    std::ofstream(directory.path() / "jobs.jsonl", std::ios::app) << R"({"number":9,"jo)";
    ASSERT_TRUE(append_job_record(directory.path(), ended_run(2)).ok());
    EXPECT_EQ(read_job_history(directory.path())->records, (std::vector{ended_run(1), ended_run(2)}));
}

TEST(JobHistory, IsCutToTheNewestRuns) {
    const TemporaryDirectory directory;
    for (uint64_t number = 1; number <= 10; ++number) ASSERT_TRUE(append_job_record(directory.path(), ended_run(number)).ok());
    const Result<size_t> lines = compact_job_history(directory.path(), 3);
    ASSERT_TRUE(lines.ok());
    EXPECT_EQ(*lines, 3u);
    const Result<JobHistory> history = read_job_history(directory.path());
    EXPECT_EQ(history->records, (std::vector{ended_run(8), ended_run(9), ended_run(10)}));
    EXPECT_EQ(history->lines, 3u);
    ASSERT_TRUE(append_job_record(directory.path(), ended_run(11)).ok());
    EXPECT_EQ(read_job_history(directory.path())->records.size(), 4u);
}

TEST(JobHistory, TellsWhatKeptItFromBeingRead) {
    const TemporaryDirectory directory;
    std::filesystem::create_directory(directory.path() / "jobs.jsonl");
    EXPECT_FALSE(read_job_history(directory.path()).ok());
    EXPECT_FALSE(append_job_record(directory.path(), ended_run(1)).ok());
    EXPECT_FALSE(compact_job_history(directory.path()).ok());
}

TEST(JobReport, TakesThePlaceOfEarlierOnesOfItsJob) {
    const TemporaryDirectory directory;
    ASSERT_TRUE(store_job_report(directory.path(), "verify", 9, "{\"rows\":[]}").ok());
    ASSERT_TRUE(store_job_report(directory.path(), "drill", 10, "{}").ok());
    ASSERT_TRUE(store_job_report(directory.path(), "verify", 11, "{\"rows\":[1]}").ok());
    EXPECT_EQ(*read_job_report(directory.path(), "verify", 11), "{\"rows\":[1]}");
    EXPECT_EQ(*read_job_report(directory.path(), "drill", 10), "{}");
    const Result<std::string> gone = read_job_report(directory.path(), "verify", 9);
    ASSERT_FALSE(gone.ok());
    EXPECT_EQ(gone.error().code(), ErrorCode::not_found);
    EXPECT_EQ(content_of(directory.path() / "reports" / "verify-11.json"), "{\"rows\":[1]}");
    EXPECT_EQ(std::filesystem::status(directory.path() / "reports" / "verify-11.json").permissions(),
              std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
}

}  // namespace
}  // namespace steward
