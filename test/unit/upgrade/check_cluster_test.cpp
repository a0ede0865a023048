#include "core/upgrade/check_cluster.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace steward {
namespace {

OldClusterFacts plain_cluster() {
    OldClusterFacts old;
    old.data_directory = "/data/main";
    old.traits.major = 15;
    old.version_num = 150018;
    old.files = {"PG_VERSION", "base", "global"};
    return old;
}

const UpgradeFinding* find(const std::vector<UpgradeFinding>& findings, std::string_view check) {
    const auto found = std::ranges::find(findings, check, &UpgradeFinding::check);
    return found == findings.end() ? nullptr : &*found;
}

TEST(UpgradeCheck, FindsNothingInAPlainCluster) {
    EXPECT_TRUE(check_old_cluster(plain_cluster(), {15, 18}).empty());
    EXPECT_TRUE(check_new_major(plain_cluster(), {}).empty());
}

TEST(UpgradeCheck, TakesNoStandbyAndNothingThatCrashed) {
    OldClusterFacts old = plain_cluster();
    old.files.emplace_back("standby.signal");
    old.was_shut_down = false;
    const auto findings = check_old_cluster(old, {15, 18});
    ASSERT_NE(find(findings, "standby"), nullptr);
    EXPECT_EQ(find(findings, "standby")->objects, std::vector<std::string>{"file \"/data/main/standby.signal\""});
    ASSERT_NE(find(findings, "not_shut_down"), nullptr);
    old.running = true;
    EXPECT_EQ(find(check_old_cluster(old, {15, 18}), "not_shut_down"), nullptr);
}

TEST(UpgradeCheck, FindsWhatAnEarlierUpgradeLeftOfThatMajorOnly) {
    OldClusterFacts old = plain_cluster();
    old.tablespaces = {{"fast", "/mnt/it's fast", {"PG_15_202209061", "PG_18_202506291", "PG_180_1", "lost+found"}}};
    const auto findings = check_old_cluster(old, {15, 18});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].check, "tablespace_leftovers");
    EXPECT_EQ(findings[0].cures, std::vector<std::string>{"rm -r '/mnt/it'\\''s fast/PG_18_202506291'"});
}

TEST(UpgradeCheck, FindsTablespacesInsideTheDataDirectoryButNotBesideIt) {
    OldClusterFacts old = plain_cluster();
    old.tablespaces = {{"beside", "/data/main2/fast", {}}, {"in side", "/data/main/fast", {}}};
    const auto findings = check_old_cluster(old, {15, 18});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].objects, std::vector<std::string>{"tablespace \"in side\" in \"/data/main/fast\""});
}

TEST(UpgradeCheck, NamesLibrariesThatCannotBeLoadedButForThoseThatAreLoadedAtTheStart) {
    OldClusterFacts old = plain_cluster();
    old.libraries = {{"app", "$libdir/gone"}, {"app", "$libdir/pgaudit"}, {"app", "$libdir/hstore"}};
    old.settings = {{"shared_preload_libraries", "left_out", "a.conf, line 1", ""}, {"shared_preload_libraries", "pg_stat_statements, \"$libdir/pgaudit.so\"", "a.conf, line 9", ""}};
    EXPECT_EQ(preloaded_libraries(old), (std::set<std::string>{"pg_stat_statements", "pgaudit"}));
    NewMajorFacts offered;
    offered.load_errors = {{"$libdir/gone", "could not access file"}, {"$libdir/pgaudit", "pgaudit must be loaded via shared_preload_libraries"}};
    const auto findings = check_new_major(old, offered);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].objects, std::vector<std::string>{"library \"$libdir/gone\", used in database \"app\": could not access file"});
    offered.load_errors["pgaudit"] = "could not access file";
    EXPECT_EQ(check_new_major(old, offered)[0].objects.size(), 2U);
}

TEST(UpgradeCheck, TellsExtensionsThatAreMissingStuckOrOutdatedApart) {
    OldClusterFacts old = plain_cluster();
    old.extensions = {{"app", "gone", "1"}, {"app", "stuck", "1"}, {"app", "old", "1"}, {"other", "old", "1"}, {"app", "same", "1"}};
    NewMajorFacts offered;
    offered.extensions = {{{"stuck", "1"}, {"2", false}}, {{"old", "1"}, {"2", true}}, {{"same", "1"}, {"1", false}}};
    const auto findings = check_new_major(old, offered);
    ASSERT_EQ(findings.size(), 3U);
    EXPECT_EQ(find(findings, "missing_extensions")->objects.size(), 1U);
    EXPECT_EQ(find(findings, "extensions_without_path")->objects, std::vector<std::string>{"database \"app\": stuck 1, new is 2"});
    EXPECT_EQ(find(findings, "outdated_extensions")->objects.size(), 2U);
    EXPECT_EQ(find(findings, "outdated_extensions")->cures, std::vector<std::string>{"ALTER EXTENSION \"old\" UPDATE;"});
}

TEST(UpgradeCheck, FindsSettingsThatAreGoneAndNamesTheSuccessor) {
    OldClusterFacts old = plain_cluster();
    old.settings = {{"vacuum_defer_cleanup_age", "0", "p.conf, line 3", ""},
                    {"force_parallel_mode", "off", "p.conf, line 6", ""},
                    {"work_mem", "4MB", "p.conf, line 4", ""},
                    {"pg_cron.x", "1", "p.conf, line 5", ""}};
    NewMajorFacts offered;
    offered.settings = {{"vacuum_defer_cleanup_age", false}, {"force_parallel_mode", false}, {"work_mem", true}};
    const auto findings = check_new_major(old, offered);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].objects, (std::vector<std::string>{"vacuum_defer_cleanup_age (p.conf, line 3)", "force_parallel_mode (p.conf, line 6)"}));
    EXPECT_EQ(findings[0].cures, std::vector<std::string>{"Set debug_parallel_query instead of force_parallel_mode."});
}

TEST(UpgradeCheck, TakesASettingOfARoleThatPgUpgradeCannotSetForAnObstacle) {
    OldClusterFacts old = plain_cluster();
    old.settings = {{"force_parallel_mode", "off", "role a", "ALTER ROLE a RESET force_parallel_mode;"}, {"password_encryption", "on", "p.conf, line 2", ""}, {"password_encryption", "md5", "p.conf, line 3", ""}};
    NewMajorFacts offered;
    offered.settings = {{"force_parallel_mode", false}, {"password_encryption", true}};
    offered.refused_values = {{{"password_encryption", "on"}, "invalid value"}};
    const auto findings = check_new_major(old, offered);
    ASSERT_EQ(findings.size(), 2U);
    ASSERT_NE(find(findings, "unrestorable_settings"), nullptr);
    EXPECT_EQ(find(findings, "unrestorable_settings")->weight, FindingWeight::kObstacle);
    EXPECT_EQ(find(findings, "unrestorable_settings")->cures, std::vector<std::string>{"ALTER ROLE a RESET force_parallel_mode;"});
    ASSERT_NE(find(findings, "refused_values"), nullptr);
    EXPECT_EQ(find(findings, "refused_values")->weight, FindingWeight::kWarning);
    EXPECT_EQ(find(findings, "refused_values")->objects, std::vector<std::string>{"password_encryption = on (p.conf, line 2): invalid value"});
}

TEST(UpgradeCheck, WantsALibraryPreloadedThatSaysSo) {
    OldClusterFacts old = plain_cluster();
    old.libraries = {{"app", "$libdir/pgaudit"}, {"other", "$libdir/pgaudit"}};
    old.settings = {{"shared_preload_libraries", "it's", "a.conf, line 1", ""}};
    NewMajorFacts offered;
    offered.load_errors = {{"$libdir/pgaudit", "pgaudit must be loaded via shared_preload_libraries"}};
    const auto findings = check_new_major(old, offered);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].check, "libraries_to_preload");
    EXPECT_EQ(findings[0].objects.size(), 2U);
    EXPECT_EQ(findings[0].cures, std::vector<std::string>{"ALTER SYSTEM SET shared_preload_libraries = 'it''s', 'pgaudit';"});
}

TEST(UpgradeCheck, FindsOptionsOfColumnsThatTheNewMajorDoesNotTake) {
    OldClusterFacts old = plain_cluster();
    old.column_options = {{"app", "n_distinct", "5", 1, "a, column b"}, {"app", "pg_attver", "1", 12, "a, column b"}};
    NewMajorFacts offered;
    EXPECT_TRUE(check_new_major(old, offered).empty());
    offered.column_option_errors = {{"pg_attver", "unrecognized parameter \"pg_attver\""}};
    const auto findings = check_new_major(old, offered);
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].objects, std::vector<std::string>{"database \"app\": 12 columns with option pg_attver=1, one is a, column b: unrecognized parameter \"pg_attver\""});
    ASSERT_EQ(findings[0].cures.size(), 1U);
    EXPECT_TRUE(findings[0].cures[0].ends_with("-- in database \"app\"")) << findings[0].cures[0];
}

TEST(UpgradeCheck, NeedsAPlaceBesideTheDataDirectory) {
    OldClusterFacts old = plain_cluster();
    old.parent_writable = false;
    EXPECT_NE(find(check_old_cluster(old, {15, 18}), "parent_not_writable"), nullptr);
    old.mount_point = true;
    EXPECT_NE(find(check_old_cluster(old, {15, 18}), "mount_point"), nullptr);
    EXPECT_EQ(find(check_old_cluster(old, {15, 18}), "parent_not_writable"), nullptr);
}

TEST(UpgradeCheck, SaysWhichLockFileIsInTheWay) {
    OldClusterFacts old = plain_cluster();
    old.lock_holder = 4711;
    const auto findings = check_old_cluster(old, {15, 18});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].objects, std::vector<std::string>{"file \"/data/main/postmaster.pid\", process 4711"});
    EXPECT_EQ(findings[0].cures, std::vector<std::string>{"rm '/data/main/postmaster.pid'"});
}

TEST(UpgradeCheck, MindsTheSlotLimitOfThoseMinorsThatDo) {
    OldClusterFacts old = plain_cluster();
    old.settings = {{"max_slot_wal_keep_size", "10GB", "p.conf, line 3", ""}};
    NewMajorFacts offered;
    for (const auto& [version, is_found] : {std::pair(160013, false), {170000, true}, {170005, true}, {170006, false}, {180001, false}}) {
        offered.version_num = version;
        EXPECT_EQ(find(check_new_major(old, offered), "slot_limit") != nullptr, is_found) << version;
    }
    offered.version_num = 170005;
    old.settings[0].value = "-1";
    EXPECT_TRUE(check_new_major(old, offered).empty());
}

}  // namespace
}  // namespace steward
