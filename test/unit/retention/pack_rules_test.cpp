#include <gmock/gmock.h>

#include "retention/expiry_fixture.h"

namespace steward {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// Backups a, b and c; c refers to a's pack too. "orphan" is of day 50.
class KeepPacks : public ExpiryTest {
protected:
    KeepPacks() {
        add("a", 1, 10, 10);
        add("b", 1, 20, 20);
        add("c", 1, 30, 30).packs = {"a", "c"};
        add_wal(1, 1, 40);
        add_pack("orphan", 50);
    }
    PackVerdict verdict(std::string_view policy, std::string_view name) {
        const ExpiryPlan made = plan(policy);
        return *std::ranges::find(made.packs, name, &PackVerdict::name);
    }
};

TEST_F(KeepPacks, ThatAnyKeptBackupRefersTo) {
    EXPECT_THAT(removed_packs("1"), ElementsAre("b", "orphan"));
    EXPECT_EQ(verdict("1", "a").rule, PackRule::kReferenced);
    EXPECT_EQ(verdict("1", "b").rule, PackRule::kUnreferenced);
    const ExpiryTotals totals = plan("1").totals;
    EXPECT_EQ(totals.removed.pack_bytes, 2000u);
    EXPECT_EQ(totals.removed.packs, 2u);
    EXPECT_EQ(totals.kept.pack_bytes, 2000u);
    EXPECT_EQ(totals.kept.backups, 1u);
    EXPECT_EQ(totals.removed.backups, 2u);
}

TEST_F(KeepPacks, AllWithoutAPolicyOrWithoutACompleteBackup) {
    EXPECT_THAT(removed_packs(""), IsEmpty());
    facts_.wal.clear();
    EXPECT_THAT(removed_packs("1"), IsEmpty());
    EXPECT_EQ(verdict("1", "orphan").rule, PackRule::kNoCompleteBackup);
}

TEST_F(KeepPacks, YoungerThanTheGracePeriod) {
    facts_.packs.back().created = rules_.now - std::chrono::days(1) + std::chrono::microseconds(1);
    EXPECT_THAT(removed_packs("1"), ElementsAre("b"));
    EXPECT_EQ(verdict("1", "orphan").rule, PackRule::kYoung);
    facts_.packs.back().created = rules_.now - std::chrono::days(1);
    EXPECT_THAT(removed_packs("1"), ElementsAre("b", "orphan"));
    facts_.packs.back().created = rules_.now + std::chrono::days(1);
    EXPECT_THAT(removed_packs("1"), ElementsAre("b")) << "a store's clock may be ahead";
}

TEST_F(KeepPacks, OfUnknownAge) {
    facts_.packs.back().created.reset();
    EXPECT_EQ(verdict("1", "orphan").rule, PackRule::kAgeUnknown);
    EXPECT_THAT(removed_packs("1"), ElementsAre("b"));
}

TEST_F(KeepPacks, OfARunningBackup) {
    facts_.running.push_back({"now", 1, {38 * kExpirySegmentSize}, std::vector<std::string>{"b"}});
    EXPECT_THAT(removed_packs("1"), ElementsAre("orphan"));
    EXPECT_EQ(verdict("1", "b").rule, PackRule::kRunningBackup);
    facts_.running[0].packs.reset();
    EXPECT_THAT(removed_packs("1"), IsEmpty());
    EXPECT_EQ(verdict("1", "orphan").text, "the packs of backup \"now\" are not known");
}

TEST_F(KeepPacks, AllWhileItIsNotKnownWhatAKeptBackupRefersTo) {
    facts_.backups[2].packs.reset();
    EXPECT_THAT(removed_packs("1"), IsEmpty());
    EXPECT_EQ(verdict("1", "b").rule, PackRule::kReferencesUnknown);
    facts_.backups[2].packs = {"c"};
    facts_.backups[0].packs.reset();
    EXPECT_THAT(removed_packs("1"), ElementsAre("a", "b", "orphan")) << "what a backup that goes refers to does not matter";
}

TEST_F(KeepPacks, AllWhileAManifestCannotBeRead) {
    facts_.unreadable = {"odd"};
    EXPECT_THAT(removed_packs("1"), IsEmpty());
    EXPECT_EQ(verdict("1", "b").rule, PackRule::kUnreadableBackup);
    EXPECT_THAT(kept("1"), ElementsAre("c")) << "which backups stay does not depend on it";
}

}  // namespace
}  // namespace steward
