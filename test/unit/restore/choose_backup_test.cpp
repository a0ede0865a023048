#include "core/restore/choose_backup.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "restore/restore_fixture.h"

namespace steward {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr uint64_t kMb = kRestoreSegmentSize;

// Timeline 1 has WAL 1..20. Timeline 2 forked off in segment 10, timeline 3 off timeline 2 in segment 15; both have WAL up to 20.
// Backups: a at 2..3 and b at 8..9 on timeline 1, c at 12..13 on timeline 2, d at 12..13 on timeline 1 after the fork.
class ChooseBackup : public ::testing::Test {
protected:
    ChooseBackup() : facts_{{}, WalInventory(kRestoreSegmentSize), {}, {}} {
        add("a", 1, 2, 3);
        add("b", 1, 8, 9);
        add("d", 1, 12, 13);
        add("c", 2, 12, 13);
        facts_.wal.add(1, 1, 20);
        facts_.wal.add(2, 10, 20);
        facts_.wal.add(3, 15, 20);
        facts_.histories.emplace(2, TimelineHistory(2, {{1, {10 * kMb + 100}, "test"}}));
        facts_.histories.emplace(3, TimelineHistory(3, {{1, {10 * kMb + 100}, "test"}, {2, {15 * kMb + 100}, "test"}}));
    }

    void add(const std::string& label, uint32_t timeline, uint64_t start, uint64_t stop) {
        facts_.backups.push_back({test_summary(label, timeline, start * kMb + 40, stop * kMb + 80), 0});
    }

    Result<std::vector<Candidate>> choose(RecoveryTarget target, std::optional<std::string> label = {}) const {
        return list_candidates(facts_, {std::move(label), std::move(target)});
    }
    std::vector<std::string> labels(RecoveryTarget target, std::optional<std::string> label = {}) const {
        const auto candidates = choose(std::move(target), std::move(label));
        std::vector<std::string> found;
        if (!candidates.ok()) return {info(candidates.error().code()).name.data()};
        for (const Candidate& candidate : *candidates) found.push_back(candidate.backup.summary.label);
        return found;
    }

    static RecoveryTarget to_lsn(uint64_t lsn) { return {.kind = TargetKind::kLsn, .lsn = {lsn}}; }
    static RecoveryTarget on(RecoveryTarget target, TimelineId timeline) {
        target.timeline = {TimelineChoice::Kind::kNumber, timeline};
        return target;
    }

    RestoreFacts facts_;
};

TEST_F(ChooseBackup, TakesTheNewestOnTheHistoryOfTheNewestTimeline) { EXPECT_THAT(labels({}), ElementsAre("c", "b", "a")); }

TEST_F(ChooseBackup, FollowsTheTimelineAskedFor) { EXPECT_THAT(labels(on({}, 1)), ElementsAre("d", "b", "a")); }

TEST_F(ChooseBackup, FollowsTheNewestBackupsTimelineWhenAskedForTheCurrentOne) {
    RecoveryTarget target;
    target.timeline.kind = TimelineChoice::Kind::kCurrent;
    const auto candidates = choose(target);
    ASSERT_TRUE(candidates.ok());
    EXPECT_EQ(candidates->front().backup.summary.label, "c");
    EXPECT_EQ(candidates->front().history.timeline(), 2u);
}

TEST_F(ChooseBackup, LeavesOutBackupsThatEndAfterATargetLsn) {
    EXPECT_THAT(labels(to_lsn(12 * kMb)), ElementsAre("b", "a"));
    EXPECT_THAT(labels(to_lsn(9 * kMb + 80)), ElementsAre("b", "a"));
    EXPECT_THAT(labels(to_lsn(9 * kMb + 79)), ElementsAre("a"));
}

TEST_F(ChooseBackup, LeavesOutBackupsThatEndAfterATargetTime) {
    RecoveryTarget target{.kind = TargetKind::kTime, .time = facts_.backups[1].summary.stopped};
    EXPECT_THAT(labels(target), ElementsAre("b", "a"));
    target.time -= std::chrono::microseconds(1);
    EXPECT_THAT(labels(target), ElementsAre("a"));
}

TEST_F(ChooseBackup, NamesTheEarliestReachablePositionWhenTheTargetIsBeforeAllBackups) {
    const auto candidates = choose(to_lsn(kMb));
    ASSERT_FALSE(candidates.ok());
    EXPECT_EQ(candidates.error().code(), ErrorCode::unreachable_target);
    EXPECT_THAT(candidates.error().detail(), HasSubstr(to_string(Lsn{3 * kMb + 80})));
}

TEST_F(ChooseBackup, ListsTheBackupsWhenTheLabelIsUnknown) {
    const auto candidates = choose({}, "nope");
    ASSERT_FALSE(candidates.ok());
    EXPECT_EQ(candidates.error().code(), ErrorCode::not_found);
    EXPECT_THAT(candidates.error().detail(), HasSubstr("a, b, d, c"));
}

TEST_F(ChooseBackup, RefusesANamedBackupOfAnotherBranch) { EXPECT_THAT(labels({}, "d"), ElementsAre("unreachable_target")); }

TEST_F(ChooseBackup, RefusesATimelineThatTheRepositoryDoesNotKnow) { EXPECT_THAT(labels(on({}, 9)), ElementsAre("unreachable_target")); }

TEST_F(ChooseBackup, ReadsTheYoungestTimelinesCopyOfASegmentWithASwitchPoint) {
    const auto candidates = choose({}, "b");
    ASSERT_TRUE(candidates.ok());
    const auto& segments = candidates->front().reach.segments;
    ASSERT_EQ(segments.size(), 13u);
    EXPECT_EQ(segments[1], (WalSegmentName{1, 9}));
    EXPECT_EQ(segments[2], (WalSegmentName{2, 10}));
    EXPECT_EQ(segments[6], (WalSegmentName{2, 14}));
    EXPECT_EQ(segments[7], (WalSegmentName{3, 15}));
    EXPECT_EQ(candidates->front().reach.end, (Lsn{21 * kMb}));
    EXPECT_FALSE(candidates->front().reach.missing);
}

TEST_F(ChooseBackup, SeesAHoleThatHasWalBehindIt) {
    facts_.wal = WalInventory(kRestoreSegmentSize);
    facts_.wal.add(1, 1, 10);
    facts_.wal.add(2, 10, 12);
    facts_.wal.add(2, 14, 20);
    facts_.wal.add(3, 15, 20);
    const auto candidates = choose({}, "b");
    ASSERT_TRUE(candidates.ok());
    EXPECT_EQ(candidates->front().reach.missing, (WalSegmentName{2, 13}));
    EXPECT_EQ(candidates->front().reach.end, (Lsn{13 * kMb}));
}

TEST_F(ChooseBackup, RefusesABackupWhoseOwnWalIsMissingAndNamesTheSegment) {
    facts_.wal = WalInventory(kRestoreSegmentSize);
    facts_.wal.add(1, 1, 8);
    facts_.wal.add(2, 10, 20);
    const auto candidates = choose(on({}, 1), "b");
    ASSERT_FALSE(candidates.ok());
    EXPECT_EQ(candidates.error().code(), ErrorCode::missing_wal);
    EXPECT_EQ(candidates.error().object(), to_string(WalSegmentName{1, 9}, kRestoreSegmentSize));
}

TEST_F(ChooseBackup, SaysLatestOnlyWhereTheServerFindsTheSameTimeline) {
    const auto all = choose({});
    ASSERT_TRUE(all.ok());
    EXPECT_EQ(timeline_setting(facts_, all->front(), {}), "latest");
    EXPECT_EQ(timeline_setting(facts_, all->front(), to_lsn(14 * kMb)), "3");
    facts_.histories.erase(2);  // the server would stop looking at timeline 2
    EXPECT_EQ(timeline_setting(facts_, all->back(), {}), "3");
}

TEST(WalInventoryTest, MergesRangesInAnyOrder) {
    WalInventory wal(kRestoreSegmentSize);
    wal.add(1, 5, 6);
    wal.add(1, 1, 2);
    wal.add(1, 3, 4);
    wal.add(1, 2, 5);
    for (uint64_t number = 1; number <= 6; ++number) EXPECT_TRUE(wal.has({1, number})) << number;
    EXPECT_FALSE(wal.has({1, 0}));
    EXPECT_FALSE(wal.has({1, 7}));
    EXPECT_FALSE(wal.has({2, 3}));
}

TEST_F(ChooseBackup, ReachesIntoTheTailOfTheSegmentAfterTheLastOne) {
    facts_.wal.add_tail({3, 21}, {21 * kMb + 500});
    facts_.wal.add_tail({1, 21}, {21 * kMb + 900});
    const auto candidates = choose({});
    ASSERT_TRUE(candidates.ok());
    const WalReach& reach = candidates->front().reach;
    EXPECT_EQ(reach.end, (Lsn{21 * kMb + 500}));
    EXPECT_EQ(reach.whole_end, (Lsn{21 * kMb}));
    EXPECT_EQ(reach.tail, (WalSegmentName{3, 21})) << "never that of a timeline that was left";
    EXPECT_EQ(reach.segments.back(), (WalSegmentName{3, 21}));
    EXPECT_FALSE(reach.missing);
}

TEST_F(ChooseBackup, ReachesTheTailOfAnOldTimelineWhenThatIsAskedFor) {
    facts_.wal.add_tail({1, 21}, {21 * kMb + 900});
    EXPECT_EQ(choose(on({}, 1))->front().reach.end, (Lsn{21 * kMb + 900}));
    EXPECT_EQ(choose({})->front().reach.end, (Lsn{21 * kMb}));
}

TEST_F(ChooseBackup, IgnoresTheTailOfASegmentThatIsThereWhole) {
    facts_.wal.add_tail({3, 20}, {20 * kMb + 500});
    const WalReach reach = choose({})->front().reach;
    EXPECT_EQ(reach.end, (Lsn{21 * kMb}));
    EXPECT_FALSE(reach.tail);
}

TEST_F(ChooseBackup, RefusesAHoleBeforeATailAndATailBeforeMoreWal) {
    facts_.wal.add_tail({3, 22}, {22 * kMb + 500});
    const auto before = choose({})->front().reach;
    EXPECT_EQ(before.missing, (WalSegmentName{3, 21}));
    EXPECT_EQ(before.end, (Lsn{21 * kMb}));
    facts_.wal.add_tail({3, 21}, {21 * kMb + 500});
    const auto after = choose({})->front().reach;
    EXPECT_EQ(after.missing, (WalSegmentName{3, 21}));
    EXPECT_EQ(after.end, (Lsn{21 * kMb + 500}));
}

TEST_F(ChooseBackup, DoesNotTakeATailForASegmentThatABackupNeeds) {
    RestoreFacts facts{facts_.backups, WalInventory(kRestoreSegmentSize), {}, {}};
    facts.wal.add(1, 2, 2);
    facts.wal.add_tail({1, 3}, {3 * kMb + 500});
    const auto candidates = list_candidates(facts, {"a", on({}, 1)});
    ASSERT_FALSE(candidates.ok());
    EXPECT_EQ(candidates.error().code(), ErrorCode::missing_wal);
    EXPECT_EQ(candidates.error().object(), to_string(WalSegmentName{1, 3}, kRestoreSegmentSize));
}

}  // namespace
}  // namespace steward
