#include "core/upgrade/new_cluster_settings.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

using Lines = std::vector<std::string>;

TEST(NewClusterSettings, AreNoneForAPlainCluster) { EXPECT_TRUE(settings_for_pg_upgrade({}, {}, {17, 18}).empty()); }

TEST(NewClusterSettings, MakeRoomForSlotsAndSubscriptionsThatAreCarriedOver) {
    OldClusterFacts old;
    old.logical_slots = 2;
    EXPECT_TRUE(settings_for_pg_upgrade(old, {}, {16, 18}).empty());
    EXPECT_EQ(settings_for_pg_upgrade(old, {}, {17, 18}), (Lines{"wal_level = logical", "max_replication_slots = 10", "max_active_replication_origins = 10"}));
    old.subscriptions = 30;
    old.settings = {{"output_plugin_libraries", "first", "", ""}, {"output_plugin_libraries", "it's", "", ""}};
    NewMajorFacts offered;
    EXPECT_EQ(settings_for_pg_upgrade(old, offered, {17, 18}), (Lines{"wal_level = logical", "max_replication_slots = 33", "max_active_replication_origins = 30"}));
    offered.settings = {{"output_plugin_libraries", true}};
    EXPECT_EQ(settings_for_pg_upgrade(old, offered, {17, 18}),
              (Lines{"wal_level = logical", "max_replication_slots = 33", "max_active_replication_origins = 30", "output_plugin_libraries = 'it''s'"}));
}

TEST(NewClusterSettings, AreMetByWhatIsMoreAndByNothingElse) {
    const WantedSetting limit{"max_replication_slots", "33", true}, level{"wal_level", "logical", false};
    EXPECT_TRUE(limit.is_met_by("33"));
    EXPECT_TRUE(limit.is_met_by("1000"));
    EXPECT_FALSE(limit.is_met_by("32"));
    EXPECT_FALSE(limit.is_met_by(""));
    EXPECT_TRUE(level.is_met_by("logical"));
    EXPECT_FALSE(level.is_met_by("replica"));
}

TEST(NewClusterSettings, DoNotTurnLogicalWalOnForSubscriptionsAlone) {
    const std::vector<WantedSetting> wanted = wanted_for_replication({0, 11, ""}, {17, 18});
    ASSERT_EQ(wanted.size(), 2U);
    EXPECT_EQ(wanted[0].line(), "max_replication_slots = 12");
    EXPECT_EQ(wanted[1].line(), "max_active_replication_origins = 11");
    EXPECT_TRUE(wanted_for_replication({2, 11, ""}, {16, 18}).empty());
}

TEST(NewClusterSettings, PreloadWhatIsPreloadedAndUsedAndThere) {
    OldClusterFacts old;
    old.settings = {{"shared_preload_libraries", "pgaudit, auto_explain, gone, pg_steward", "", ""}};
    old.libraries = {{"app", "$libdir/pgaudit"}, {"app", "$libdir/gone"}, {"app", "$libdir/pg_steward"}, {"app", "$libdir/hstore"}};
    NewMajorFacts offered;
    offered.load_errors = {{"$libdir/gone", "could not access file"}, {"$libdir/pgaudit", "pgaudit must be loaded via shared_preload_libraries"}};
    EXPECT_EQ(settings_for_pg_upgrade(old, offered, {15, 18}), Lines{"shared_preload_libraries = 'pgaudit'"});
}

}  // namespace
}  // namespace steward
