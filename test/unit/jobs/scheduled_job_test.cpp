#include "core/jobs/scheduled_job.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"

namespace steward {
namespace {

TimePoint minute(int n) { return TimePoint(std::chrono::minutes(29'000'000 + n)); }

TEST(TakeOver, KeepsSinceWhenAScheduleIsSet) {
    const EnabledSchedules known = {{"backup", {"@daily", "UTC", minute(1)}}, {"verify", {"@weekly", "UTC", minute(2)}}};
    EXPECT_EQ(take_over(known, known, minute(9)), known);
    EXPECT_EQ(take_over(known, {{"backup", {"@daily", "UTC", {}}}}, minute(9)), (EnabledSchedules{{"backup", {"@daily", "UTC", minute(1)}}}))
        << "one that is gone is forgotten";
}

TEST(TakeOver, BeginsAnewWithAnotherScheduleOrZone) {
    const EnabledSchedules known = {{"backup", {"@daily", "UTC", minute(1)}}};
    EXPECT_EQ(take_over(known, {{"backup", {"@hourly", "UTC", {}}}}, minute(9)).at("backup").since, minute(9));
    EXPECT_EQ(take_over(known, {{"backup", {"@daily", "Europe/Berlin", {}}}}, minute(9)).at("backup").since, minute(9));
    EXPECT_EQ(take_over({}, {{"drill", {"@daily", "UTC", {}}}}, minute(9)).at("drill").since, minute(9));
}

TEST(EnabledSchedules, AreReadAsTheyWereWritten) {
    const TemporaryDirectory directory;
    const auto place = directory.path() / "pg_steward";
    EXPECT_TRUE(read_enabled_schedules(place)->empty());
    const EnabledSchedules schedules = {{"backup", {"0 4 * * *", "Europe/Berlin", minute(1)}}, {"drill", {"@monthly", "UTC", minute(2)}}};
    ASSERT_TRUE(write_enabled_schedules(place, schedules).ok());
    const Result<EnabledSchedules> read = read_enabled_schedules(place);
    ASSERT_TRUE(read.ok()) << read.error().to_string();
    EXPECT_EQ(*read, schedules);
    ASSERT_TRUE(write_enabled_schedules(place, {}).ok());
    EXPECT_TRUE(read_enabled_schedules(place)->empty());
}

TEST(EnabledSchedules, RefuseWhatTheyDidNotWrite) {
    const TemporaryDirectory directory;
    for (const char* text : {"", "7", "[7]", "{\"backup\":7}", R"({"backup":{"schedule":"@daily","timezone":"UTC"}})",
                             R"({"backup":{"schedule":"@daily","timezone":"UTC","enabled_since":"then"}})"}) {
        std::ofstream(directory.path() / "schedule.json", std::ios::trunc) << text;
        const Result<EnabledSchedules> read = read_enabled_schedules(directory.path());
        ASSERT_FALSE(read.ok()) << text;
        EXPECT_EQ(read.error().code(), ErrorCode::corrupt_object);
    }
}

}  // namespace
}  // namespace steward
