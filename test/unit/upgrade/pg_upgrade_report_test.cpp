#include "core/upgrade/pg_upgrade_report.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

UpgradeFinding finding(std::string check, FindingWeight weight) { return {.check = std::move(check), .weight = weight, .summary = "", .detail = "", .objects = {}, .cures = {}}; }

TEST(PgUpgradeReport, IsNoFindingWhenItIsContent) { EXPECT_TRUE(explain_pg_upgrade({.content = true, .said = "Clusters are compatible", .lists = {}}, {}).empty()); }

TEST(PgUpgradeReport, IsAFindingWithItsListsWhenNothingElseExplainsIt) {
    const PgUpgradeReport report{.content = false, .said = "Failure, exiting", .lists = {{"postfix_ops.txt", "In database: app\n  (oid=1) !!#\n"}}};
    const auto findings = explain_pg_upgrade(report, {finding("removed_settings", FindingWeight::kWarning)});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].check, "pg_upgrade");
    EXPECT_EQ(findings[0].weight, FindingWeight::kObstacle);
    EXPECT_NE(findings[0].detail.find("Failure, exiting"), std::string::npos);
    EXPECT_EQ(findings[0].objects, (std::vector<std::string>{"postfix_ops.txt: In database: app", "postfix_ops.txt: (oid=1) !!#"}));
    EXPECT_TRUE(explain_pg_upgrade(report, {finding("postfix_operators", FindingWeight::kObstacle)}).empty());
}

TEST(PgUpgradeReport, TellsSlotsBehindFromThoseThatAreOfNoUse) {
    const PgUpgradeReport report{.content = false,
                                 .said = "",
                                 .lists = {{"invalid_logical_slots.txt", "The slot \"gone\" is invalid\nThe slot \"it's\" has not consumed the WAL yet\n"}}};
    const auto findings = explain_pg_upgrade(report, {finding("unusable_slots", FindingWeight::kObstacle)});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].check, "slots_behind");
    EXPECT_EQ(findings[0].objects, std::vector<std::string>{"The slot \"it's\" has not consumed the WAL yet"});
    EXPECT_EQ(findings[0].cures, std::vector<std::string>{"SELECT pg_drop_replication_slot('it''s');"});
}

TEST(PgUpgradeReport, RepeatsNothingThatWasFound) {
    const PgUpgradeReport report{.content = false, .said = "", .lists = {{"loadable_libraries.txt", "could not load library \"$libdir/gone\"\n"}}};
    EXPECT_TRUE(explain_pg_upgrade(report, {finding("missing_libraries", FindingWeight::kObstacle)}).empty());
    const auto findings = explain_pg_upgrade(report, {});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].check, "unloadable_libraries");
}

TEST(PgUpgradeReport, KeepsAWarningOfOneThatIsContent) {
    const auto findings = explain_pg_upgrade({.content = true, .said = "", .lists = {{"unicode_dependent_rels.txt", "Database: app\n  public.i\n"}}}, {});
    ASSERT_EQ(findings.size(), 1U);
    EXPECT_EQ(findings[0].weight, FindingWeight::kWarning);
}

}  // namespace
}  // namespace steward
