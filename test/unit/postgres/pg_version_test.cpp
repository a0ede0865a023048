#include "core/postgres/pg_version.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

TEST(PgVersion, ReadsTheMajor) {
    EXPECT_EQ(parse_pg_version("15\n").value(), 15);
    EXPECT_EQ(parse_pg_version("19").value(), 19);
}

TEST(PgVersion, TellsOldReleasesFromDamage) {
    EXPECT_EQ(parse_pg_version("9.6\n").error().code(), ErrorCode::wrong_version);
    for (const char* text : {"", "\n", "abc", "15x", "-3", "99999999999"})
        EXPECT_EQ(parse_pg_version(text).error().code(), ErrorCode::corrupt_object) << text;
}

TEST(PgVersion, SaysThatADirectoryIsNoDataDirectory) {
    const auto version = read_pg_version("/proc/self");
    ASSERT_FALSE(version.ok());
    EXPECT_EQ(version.error().code(), ErrorCode::not_found);
    EXPECT_FALSE(version.error().hint().empty());
}

}  // namespace
}  // namespace steward
