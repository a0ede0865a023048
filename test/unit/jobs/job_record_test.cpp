#include "core/jobs/job_record.h"

#include <gtest/gtest.h>

#include <string>

#include "core/jobs/job_kind.h"

namespace steward {
namespace {

using namespace std::chrono;

TimePoint at(int64_t us) { return TimePoint(microseconds(us)); }

JobRecord full_record() {
    return {UINT64_MAX, "verify", JobTrigger::kSchedule, at(1763636683123456), at(1763636684123456), UINT64_MAX, JobResult::kCancelled, "half of it", "cancelled"};
}

TEST(JobRecord, IsReadAsItWasWritten) {
    const JobRecord plain{7, "backup", JobTrigger::kManual, at(1763636683000000), std::nullopt, 0, JobResult::kRunning, "", ""};
    for (const JobRecord& record : {full_record(), plain}) {
        const std::string line = render_job_record(record);
        EXPECT_EQ(line.find('\n'), line.size() - 1);
        const Result<JobRecord> read = parse_job_record(line);
        ASSERT_TRUE(read.ok()) << read.error().to_string();
        EXPECT_EQ(*read, record);
    }
}

TEST(JobRecord, HoldsAnyTextInOneLine) {
    JobRecord record = full_record();
    record.error = "two\nlines \xff \"quoted\"";
    const std::string line = render_job_record(record);
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    EXPECT_EQ(parse_job_record(line)->error, "two\nlines \xef\xbf\xbd \"quoted\"");
}

TEST(JobRecord, RefusesWhatIsNone) {
    for (const char* line : {"", "{}", "[]", "7", "{\"number\":1", R"({"number":"1"})",
                             R"({"number":1,"job":"x","trigger":"nobody","started_at":"2026-01-01T00:00:00Z","bytes":0,"result":"failed"})",
                             R"({"number":1,"job":"x","trigger":"manual","started_at":"yesterday","bytes":0,"result":"failed"})",
                             R"({"number":1,"job":"x","trigger":"manual","started_at":"2026-01-01T00:00:00Z","bytes":0,"result":"good"})"}) {
        const Result<JobRecord> read = parse_job_record(line);
        ASSERT_FALSE(read.ok()) << line;
    }
}

TEST(FoldJobRecords, TakesTheLastLineOfEachRunInOrder) {
    JobRecord first = full_record(), second = full_record();
    first.number = 1;
    second.number = 2;
    JobRecord begun = first;
    begun.result = JobResult::kRunning;
    begun.finished.reset();
    const auto records = fold_job_records(render_job_record(begun) + render_job_record(second) + render_job_record(first));
    EXPECT_EQ(records, (std::vector{first, second}));
    EXPECT_TRUE(fold_job_records("").empty());
}

TEST(FoldJobRecords, PassesOverLinesThatCannotBeRead) {
    const std::string line = render_job_record(full_record());
    const std::string cut = line.substr(0, line.size() / 2);
    EXPECT_EQ(fold_job_records(cut + "\n" + line + "\n\n" + cut), (std::vector{full_record()}));
}

TEST(KeptRecords, AreTheNewestAndWhatSchedulesGoBy) {
    std::vector<JobRecord> records;
    const auto add = [&](const char* job, JobResult result) {
        records.push_back(full_record());
        records.back().number = records.size();
        records.back().job = job;
        records.back().result = result;
    };
    add("backup", JobResult::kSucceeded);
    add("backup", JobResult::kSucceeded);
    add("backup", JobResult::kFailed);
    for (int i = 0; i < 5; ++i) add("keep", JobResult::kSucceeded);
    std::vector<uint64_t> numbers;
    for (const JobRecord& record : kept_records(records, 2)) numbers.push_back(record.number);
    EXPECT_EQ(numbers, (std::vector<uint64_t>{2, 3, 7, 8}));
    EXPECT_EQ(kept_records(records, 100), records);
}

TEST(EndUnfinished, FailsRunsWithoutAnEndOnly) {
    JobRecord running = full_record();
    running.result = JobResult::kRunning;
    running.finished.reset();
    running.error.clear();
    std::vector<JobRecord> records{full_record(), running};
    end_unfinished(records);
    EXPECT_EQ(records[0], full_record());
    EXPECT_EQ(records[1].result, JobResult::kFailed);
    EXPECT_EQ(records[1].error, "server ended while it ran");
    EXPECT_FALSE(records[1].finished);
}

TEST(JobKind, IsFoundByItsName) {
    for (size_t i = 0; i < kJobKindCount; ++i) EXPECT_EQ(job_kind_named(kJobNames[i]), static_cast<JobKind>(i));
    EXPECT_EQ(name_of(JobKind::kRestorePoint), "restore_point");
    EXPECT_EQ(job_kind_named("backup"), std::nullopt);
    EXPECT_EQ(job_kind_named(""), std::nullopt);
}

}  // namespace
}  // namespace steward
