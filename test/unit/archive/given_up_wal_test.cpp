#include "core/archive/given_up_wal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"
#include "core/postgres/wal_name.h"

namespace steward {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr uint32_t kSize = 16 * 1024 * 1024;
const TimePoint kNoon(std::chrono::seconds(1'790'500'000));

RecordedGap gap(uint64_t first, uint64_t end, uint32_t timeline = 1) {
    return {timeline, {first * kSize}, {end * kSize}, GapReason::kDropped, kNoon, "beyond"};
}
std::string segment(uint64_t number, uint32_t timeline = 1) { return to_string(WalSegmentName{timeline, number}, kSize); }

/// Counts warnings.
class WarningLog final : public Log {
public:
    void write(const LogRecord& record) override { warnings += record.level == LogLevel::kWarning; }
    int warnings = 0;
};

class GivenUp : public testing::Test {
protected:
    std::unique_ptr<GivenUpWal> open() { return GivenUpWal::open(directory_.path(), kSize, log_).value(); }
    std::filesystem::path file() const { return directory_.path() / "pg_steward" / "given_up_wal.json"; }

    const TemporaryDirectory directory_;
    WarningLog log_;
};

TEST_F(GivenUp, IsKnownAgainAfterARestart) {
    const std::vector<RecordedGap> gaps = {gap(3, 5), gap(9, 10, 2)};
    const std::vector<std::string> histories = {"00000002.history"};
    ASSERT_TRUE(open()->add(gaps, histories).ok());
    const auto again = open();
    EXPECT_THAT(again->gaps(), ElementsAre(gap(3, 5), gap(9, 10, 2)));
    EXPECT_THAT(again->owed_histories(), ElementsAre("00000002.history"));
    EXPECT_TRUE(again->covers(segment(3)));
    EXPECT_TRUE(again->covers(segment(4)));
    EXPECT_FALSE(again->covers(segment(2)));
    EXPECT_FALSE(again->covers(segment(5)));
    EXPECT_TRUE(again->covers(segment(9, 2)));
    EXPECT_FALSE(again->covers(segment(9)));
    EXPECT_FALSE(again->covers(segment(3) + ".partial"));
    EXPECT_EQ(log_.warnings, 0);
}

TEST_F(GivenUp, GrowsByWhatFollows) {
    const auto given_up = open();
    for (const RecordedGap& each : {gap(3, 5), gap(5, 6), gap(7, 8), gap(8, 9, 2)}) ASSERT_TRUE(given_up->add(std::vector{each}, {}).ok());
    EXPECT_THAT(given_up->gaps(), ElementsAre(gap(3, 6), gap(7, 8), gap(8, 9, 2)));
}

TEST_F(GivenUp, IsForgottenOnlyAsItWasEntered) {
    const auto given_up = open();
    ASSERT_TRUE(given_up->add(std::vector{gap(3, 5), gap(7, 8)}, {}).ok());
    const std::vector<RecordedGap> entered = given_up->gaps();
    ASSERT_TRUE(given_up->add(std::vector{gap(8, 9)}, {}).ok());
    ASSERT_TRUE(given_up->settle(entered).ok());
    EXPECT_THAT(given_up->gaps(), ElementsAre(gap(7, 9))) << "it has grown meanwhile";
    EXPECT_THAT(open()->gaps(), ElementsAre(gap(7, 9)));
}

TEST_F(GivenUp, AHistoryIsOwedUntilItIsStored) {
    const std::vector<std::string> histories = {"00000002.history", "00000003.history"};
    const auto given_up = open();
    ASSERT_TRUE(given_up->add({}, histories).ok());
    ASSERT_TRUE(given_up->settle_history("00000002.history").ok());
    ASSERT_TRUE(given_up->settle_history(segment(1)).ok());
    EXPECT_THAT(open()->owed_histories(), ElementsAre("00000003.history"));
}

TEST_F(GivenUp, WhatCannotBeWrittenIsNotAdded) {
    const auto given_up = open();
    std::ofstream(directory_.path() / "pg_steward") << "in the way";
    EXPECT_FALSE(given_up->add(std::vector{gap(3, 5)}, {}).ok());
    EXPECT_THAT(given_up->gaps(), IsEmpty());
    EXPECT_FALSE(given_up->covers(segment(3)));
}

TEST_F(GivenUp, ADamagedFileIsPutAsideWithAWarning) {
    for (const char* damaged : {"", "{", "[]", R"({"gaps":[],"histories":[1]})", R"({"gaps":[{"timeline":1}],"histories":[]})",
                                R"({"gaps":[],"histories":["../../etc/passwd"]})", R"({"gaps":{}})"}) {
        log_.warnings = 0;
        std::filesystem::create_directories(file().parent_path());
        std::ofstream(file()) << damaged;
        EXPECT_THAT(open()->gaps(), IsEmpty()) << damaged;
        EXPECT_EQ(log_.warnings, 1) << damaged;
        EXPECT_FALSE(std::filesystem::exists(file())) << damaged;
        EXPECT_TRUE(std::filesystem::exists(file().native() + ".damaged")) << damaged;
    }
}

TEST(DroppedRanges, AreWhatSegmentsMake) {
    const std::vector<std::string> names = {segment(3), segment(4), segment(6), segment(7, 2), segment(8, 2), "00000002.history"};
    EXPECT_THAT(dropped_ranges(names, kSize, kNoon, "beyond"), ElementsAre(gap(3, 5), gap(6, 7), gap(7, 9, 2)));
}

}  // namespace
}  // namespace steward
