#include "core/schedule/time_zone.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>

#include "base/temporary_directory.h"

namespace steward {
namespace {

using namespace std::chrono;
using ::testing::HasSubstr;

seconds offset_at(std::string_view zone, std::string_view time) { return find_time_zone(zone)->span_at(*parse_time(time)).offset; }

TEST(FindTimeZone, KnowsOffsetsOfThePastAndTheFuture) {
    EXPECT_EQ(offset_at("Europe/Berlin", "2026-11-20T12:00:00Z"), hours(1));
    EXPECT_EQ(offset_at("Europe/Berlin", "2037-07-01T12:00:00Z"), hours(2));
    EXPECT_EQ(offset_at("America/New_York", "2026-11-20T12:00:00Z"), -hours(5));
    EXPECT_EQ(offset_at("Asia/Kathmandu", "2026-11-20T12:00:00Z"), hours(5) + minutes(45));
    EXPECT_EQ(offset_at("Australia/Lord_Howe", "2026-07-01T12:00:00Z"), hours(10) + minutes(30));
    EXPECT_EQ(offset_at("Pacific/Apia", "2011-12-30T09:59:59Z"), -hours(10));
    EXPECT_EQ(offset_at("Pacific/Apia", "2011-12-30T10:00:00Z"), hours(14));
}

TEST(FindTimeZone, SaysWhereTheOffsetChanges) {
    const ZoneSpan summer = find_time_zone("Europe/Berlin")->span_at(*parse_time("2026-07-01T12:00:00Z"));
    EXPECT_EQ(format_time(summer.begin), "2026-03-29T01:00:00.000000Z");
    EXPECT_EQ(format_time(summer.end), "2026-10-25T01:00:00.000000Z");
    const auto berlin = *find_time_zone("Europe/Berlin");
    EXPECT_EQ(berlin.span_at(summer.end).begin, summer.end);
    EXPECT_EQ(berlin.span_at(summer.end - microseconds(1)).end, summer.end);
}

TEST(FindTimeZone, DoesNotMindCase) {
    EXPECT_EQ(find_time_zone("europe/BERLIN")->name(), "Europe/Berlin");
    EXPECT_EQ(find_time_zone("utc")->name(), "UTC");
}

TEST(FindTimeZone, HasNoTransitionsInUtc) {
    const ZoneSpan span = find_time_zone("UTC")->span_at(*parse_time("2026-11-20T12:00:00Z"));
    EXPECT_EQ(span.offset, seconds(0));
    EXPECT_LT(span.begin, *parse_time("1900-01-01T00:00:00Z"));
    EXPECT_GT(span.end, *parse_time("9999-01-01T00:00:00Z"));
}

TEST(FindTimeZone, RefusesNamesThatAreNotThere) {
    for (const char* name : {"", "Berlin", "Europe/", "Europe/Berlin ", "../etc/passwd", "/etc/localtime", "tzdata.zi", "CEST-2"}) {
        const auto zone = find_time_zone(name);
        ASSERT_FALSE(zone.ok()) << name;
        EXPECT_EQ(zone.error().code(), ErrorCode::invalid_argument) << name;
        EXPECT_THAT(zone.error().hint(), HasSubstr("pg_timezone_names"));
    }
}

/// The database is read once a process: each of these tests needs a process of its own, in which it is run again, and the right to
/// change that one's root directory.
class FindTimeZoneInAnotherRoot : public ::testing::Test {
protected:
    static constexpr char kRoot[] = "STEWARD_TEST_ROOT";  // tells the second process the directory of the first

    void SetUp() override {
        if (geteuid() != 0) GTEST_SKIP() << "only root may change the root directory";
        GTEST_FLAG_SET(death_test_style, "threadsafe");
        if (std::getenv(kRoot) != nullptr) return;
        directory_.emplace();
        setenv(kRoot, directory_->path().c_str(), 1);
    }
    void TearDown() override { unsetenv(kRoot); }

    std::filesystem::path zone_files() const { return directory_->path() / "usr/share/zoneinfo"; }

    /// Ends the process with status 0 if a zone cannot be found for the reason `code`, while UTC can be.
    static void look(ErrorCode code) {
        if (chroot(std::getenv(kRoot)) != 0) std::_Exit(2);
        const auto zone = find_time_zone("Europe/Berlin");
        const bool as_expected = !zone.ok() && zone.error().code() == code && !zone.error().hint().empty() && find_time_zone("UTC").ok();
        std::_Exit(as_expected ? 0 : 1);
    }

    std::optional<TemporaryDirectory> directory_;
};

TEST_F(FindTimeZoneInAnotherRoot, GivesAnErrorWithoutADatabase) {
    EXPECT_EXIT(look(ErrorCode::not_found), ::testing::ExitedWithCode(0), "");
}

TEST_F(FindTimeZoneInAnotherRoot, GivesAnErrorForAnEmptyDatabase) {
    if (directory_) std::filesystem::create_directories(zone_files());
    EXPECT_EXIT(look(ErrorCode::not_found), ::testing::ExitedWithCode(0), "");
}

TEST_F(FindTimeZoneInAnotherRoot, GivesAnErrorForATruncatedFile) {
    if (directory_) {
        std::filesystem::create_directories(zone_files() / "Europe");
        std::ofstream(zone_files() / "Europe/Berlin") << "TZif2";
    }
    EXPECT_EXIT(look(ErrorCode::corrupt_object), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace steward
