#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/repository/restore_points.h"
#include "program/upkeep/upkeep.h"
#include "repository/memory_repository.h"

namespace steward {
namespace {

using ::testing::HasSubstr;

class RestorePointJob : public ::testing::Test {
protected:
    RestorePointJob() {
        repositories_.push_back(first_.claim(kTestIdentity));
        repositories_.push_back(second_.claim(kTestIdentity));
    }
    Result<UpkeepResult> run(const Json& options) {
        const UpkeepContext context{configuration_, settings_, repositories_, first_.clock, timer_, log_, progress_, CancelToken()};
        return run_restore_point_job(context, options);
    }
    std::vector<RecordedRestorePoint> recorded(size_t repository) { return RestorePoints().read(repositories_[repository]).value(); }

    MemoryStore first_, second_;
    std::vector<Repository> repositories_;
    ConfigureMessage configuration_;
    Settings settings_ = parse_settings({{"repository", "file:///unused"}}).value();
    SteadyRetryTimer timer_;
    NullLog log_;
    UpkeepProgress progress_;
    const Json options_ = {{"name", "p"}, {"note", nullptr}, {"timeline", 2u}, {"lsn", "0/3000028"}, {"time", "2026-11-21T14:00:00.5+01:00"}};
};

TEST_F(RestorePointJob, RecordsThePointInEveryRepositoryOnce) {
    for (int run_number = 1; run_number <= 2; ++run_number) {
        const auto result = run(options_);
        ASSERT_TRUE(result.ok()) << result.error().to_string();
        EXPECT_THAT(result->summary, HasSubstr("\"p\" at 0/3000028"));
        EXPECT_EQ(result->report["rows"].size(), 2u);
    }
    for (const size_t repository : {0u, 1u}) {
        ASSERT_EQ(recorded(repository).size(), 1u);
        const RecordedRestorePoint point = recorded(repository).front();
        EXPECT_EQ(point.name, "p");
        EXPECT_EQ(point.timeline, 2u);
        EXPECT_EQ(point.lsn, (Lsn{0x3000028}));
        EXPECT_EQ(point.time, parse_time("2026-11-21T13:00:00.5Z").value());
    }
    EXPECT_EQ(progress_.done, 2u);
}

TEST_F(RestorePointJob, ARepositoryThatIsDownDoesNotKeepTheOthersFromKnowing) {
    first_.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::no_space, "disk full"));
    const auto result = run(options_);
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), ErrorCode::no_space);
    EXPECT_EQ(recorded(1).size(), 1u);
}

TEST_F(RestorePointJob, NamesTheOptionThatMakesNoSense) {
    for (const char* member : {"name", "timeline", "lsn", "time"}) {
        Json options = options_;
        options[member] = "";
        const auto result = run(options);
        ASSERT_FALSE(result.ok()) << member;
        EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
        EXPECT_THAT(result.error().message(), HasSubstr(member));
    }
    EXPECT_TRUE(recorded(0).empty());
}

}  // namespace
}  // namespace steward
