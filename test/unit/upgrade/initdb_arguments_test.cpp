#include "core/upgrade/initdb_arguments.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace steward {
namespace {

using Arguments = std::vector<std::string>;

ClusterTraits plain_traits() { return {.major = 15, .superuser = "boss", .encoding = "UTF8", .collate = "C.UTF-8", .ctype = "de_DE.UTF-8", .locale = "", .icu_rules = ""}; }

bool contains(const Arguments& arguments, const std::string& argument) { return std::ranges::find(arguments, argument) != arguments.end(); }

TEST(InitdbArguments, AreThoseThatPgUpgradeInsistsOn) {
    EXPECT_EQ(initdb_arguments(plain_traits(), 17), (Arguments{"--username=boss", "--encoding=UTF8", "--lc-collate=C.UTF-8", "--lc-ctype=de_DE.UTF-8", "--locale-provider=libc", "--wal-segsize=16"}));
}

TEST(InitdbArguments, LeaveOutWhatAMajorDoesNotKnow) {
    EXPECT_EQ(initdb_arguments(plain_traits(), 14), (Arguments{"--username=boss", "--encoding=UTF8", "--lc-collate=C.UTF-8", "--lc-ctype=de_DE.UTF-8", "--wal-segsize=16"}));
}

TEST(InitdbArguments, TellChecksumsAsTheOldClusterHasThem) {
    ClusterTraits traits = plain_traits();
    EXPECT_FALSE(contains(initdb_arguments(traits, 17), "--no-data-checksums"));
    EXPECT_TRUE(contains(initdb_arguments(traits, 18), "--no-data-checksums"));
    traits.data_checksums = true;
    for (const int to : {14, 17, 18, 19}) EXPECT_TRUE(contains(initdb_arguments(traits, to), "--data-checksums")) << to;
    EXPECT_FALSE(contains(initdb_arguments(traits, 18), "--no-data-checksums"));
}

TEST(InitdbArguments, NameTheProviderOfLocales) {
    ClusterTraits traits = plain_traits();
    traits.locale_provider = 'i';
    traits.locale = "de-DE";
    traits.icu_rules = "&a < g";
    EXPECT_FALSE(contains(initdb_arguments(traits, 15), "--icu-rules=&a < g"));
    const Arguments icu = initdb_arguments(traits, 18);
    for (const char* argument : {"--locale-provider=icu", "--icu-locale=de-DE", "--icu-rules=&a < g", "--lc-ctype=de_DE.UTF-8"}) EXPECT_TRUE(contains(icu, argument)) << argument;
    traits = plain_traits();
    traits.locale_provider = 'b';
    traits.locale = "C.UTF-8";
    const Arguments builtin = initdb_arguments(traits, 18);
    for (const char* argument : {"--locale-provider=builtin", "--builtin-locale=C.UTF-8"}) EXPECT_TRUE(contains(builtin, argument)) << argument;
}

TEST(InitdbArguments, KeepSegmentSizeAndGroupAccess) {
    ClusterTraits traits = plain_traits();
    traits.wal_segment_mb = 64;
    traits.group_access = true;
    const Arguments arguments = initdb_arguments(traits, 18);
    EXPECT_TRUE(contains(arguments, "--wal-segsize=64"));
    EXPECT_TRUE(contains(arguments, "--allow-group-access"));
}

}  // namespace
}  // namespace steward
