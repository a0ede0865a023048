#include "core/base/clock.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

TEST(ParseTime, ReadsOffsetsAndFractions) {
    EXPECT_EQ(format_time(*parse_time("2026-11-20 13:04:43.5+01")), "2026-11-20T12:04:43.500000Z");
    EXPECT_EQ(format_time(*parse_time("2026-11-20T12:04:43Z")), "2026-11-20T12:04:43.000000Z");
    EXPECT_EQ(format_time(*parse_time("2026-03-01 00:30:00 -03:30")), "2026-03-01T04:00:00.000000Z");
    EXPECT_EQ(format_time(*parse_time("2026-11-20 12:04:43.123456 UTC")), "2026-11-20T12:04:43.123456Z");
}

TEST(ParseTime, AsksForTheZoneWhenItIsMissing) {
    const auto result = parse_time("2026-11-20 13:04:43");
    ASSERT_FALSE(result.ok());
    EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(result.error().message(), "time \"2026-11-20 13:04:43\" has no time zone");
    EXPECT_FALSE(result.error().hint().empty());
}

TEST(ParseTime, RefusesNonsense) {
    for (const char* text : {"", "now", "2026-13-01 00:00:00Z", "2026-02-30 00:00:00Z", "2026-11-20 25:00:00Z", "2026-11-20 12:00:00+1",
                             "2026-11-20 12:00:00Zx", "2026-11-20 12:00:00.Z", "2026-11-20 12:00:00 Europe/Berlin"})
        EXPECT_FALSE(parse_time(text).ok()) << text;
}

TEST(FormatTime, SortsLikeTimeInNames) {
    EXPECT_EQ(compact_time(*parse_time("2026-11-20 13:04:43+00")), "20261120-130443Z");
}

TEST(UniqueName, IsTimeAndRandomBits) {
    EXPECT_EQ(unique_name(*parse_time("2026-11-20 13:04:43+00"), 0xab), "20261120-130443Z-00000000000000ab");
}

}  // namespace
}  // namespace steward
