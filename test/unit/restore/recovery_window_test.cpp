#include "core/restore/recovery_window.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/restore/choose_backup.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

using ::testing::HasSubstr;

constexpr uint64_t kMb = kRestoreSegmentSize;
const TimePoint kNoon(std::chrono::seconds(1'790'500'000));

// Timeline 1 has WAL 1..20 with a hole at 10 and 11; backups: a at 2..3, b at 6..7, c at 14..15.
class RecoveryWindowTest : public ::testing::Test {
protected:
    RecoveryWindowTest() : facts_{.backups = {}, .wal = WalInventory(kRestoreSegmentSize)} {
        add("a", 1, 2, 3);
        add("b", 1, 6, 7);
        add("c", 1, 14, 15);
        facts_.wal.add(1, 1, 9);
        facts_.wal.add(1, 12, 20);
    }
    void add(const std::string& label, uint32_t timeline, uint64_t start, uint64_t stop) {
        facts_.backups.push_back({test_summary(label, timeline, start * kMb + 40, stop * kMb + 80), 0});
    }
    void enter(uint64_t begin, uint64_t end, GapReason reason, std::string note = {}) {
        facts_.gaps.push_back({1, {begin * kMb}, {end * kMb}, reason, kNoon, std::move(note)});
    }

    RestoreFacts facts_;
};

TEST_F(RecoveryWindowTest, BeginsAnIntervalWhereItsOldestBackupIsConsistentAndEndsItAtTheHole) {
    const RecoveryWindow window = recovery_window(facts_);
    ASSERT_EQ(window.intervals.size(), 2u);
    const ReachableInterval& first = window.intervals[0];
    EXPECT_EQ(first.begin, (Lsn{3 * kMb + 80}));
    EXPECT_EQ(first.end, (Lsn{10 * kMb}));
    EXPECT_EQ(first.backup, "a");
    EXPECT_EQ(first.begin_time, facts_.backups[0].summary.stopped);
    EXPECT_EQ(first.known_until, facts_.backups[1].summary.stopped) << "backup b ended within it";
    EXPECT_EQ(window.intervals[1].backup, "c");
    EXPECT_EQ(window.intervals[1].end, (Lsn{21 * kMb}));
}

TEST_F(RecoveryWindowTest, ARestorePointTellsOfALaterTime) {
    facts_.restore_points.push_back({"p", "", 1, {8 * kMb}, kNoon});
    facts_.restore_points.push_back({"behind the hole", "", 1, {13 * kMb}, kNoon + std::chrono::hours(1)});
    const RecoveryWindow window = recovery_window(facts_);
    EXPECT_EQ(window.intervals[0].known_until, kNoon);
    ASSERT_NE(interval_at(window, 1, {8 * kMb}), nullptr);
    EXPECT_EQ(interval_at(window, 1, {13 * kMb}), nullptr) << "no backup leads there";
}

TEST_F(RecoveryWindowTest, ATailExtendsItsIntervalAndNotBeyondTheFork) {
    facts_.wal.add_tail({1, 21}, {21 * kMb + 8192});
    facts_.wal.add_tail({1, 10}, {10 * kMb + 100});
    RecoveryWindow window = recovery_window(facts_);
    EXPECT_EQ(window.intervals[1].end, (Lsn{21 * kMb + 8192}));
    EXPECT_EQ(window.intervals[0].end, (Lsn{10 * kMb + 100}));
    ASSERT_EQ(window.holes.size(), 1u);
    ASSERT_TRUE(window.holes[0].before);
    EXPECT_EQ(window.holes[0].before->lsn, (Lsn{10 * kMb + 100}));

    facts_.histories.emplace(2, TimelineHistory(2, {{1, {21 * kMb + 4096}, "test"}}));
    add("d", 2, 30, 31);
    window = recovery_window(facts_);
    for (const ReachableInterval& interval : window.intervals)
        EXPECT_LE(interval.end, (Lsn{21 * kMb + (interval.timeline == 1 ? 8192u : 4096u)})) << interval.backup;
}

TEST_F(RecoveryWindowTest, NamesAHoleAndTheNearestPointsOnBothSides) {
    const RecoveryWindow window = recovery_window(facts_);
    ASSERT_EQ(window.holes.size(), 1u);
    const WalHole& hole = window.holes[0];
    EXPECT_EQ(hole.begin, (Lsn{10 * kMb}));
    EXPECT_EQ(hole.end, (Lsn{12 * kMb}));
    EXPECT_EQ(hole.reason, GapReason::kMissing);
    EXPECT_FALSE(hole.recorded);
    ASSERT_TRUE(hole.before && hole.after);
    EXPECT_EQ(hole.before->lsn, (Lsn{10 * kMb}));
    EXPECT_EQ(hole.before->backup, "a");
    EXPECT_EQ(hole.after->lsn, (Lsn{15 * kMb + 80}));
    EXPECT_EQ(hole.after->backup, "c");
}

TEST_F(RecoveryWindowTest, TheLedgerSaysWhyAndMayHaveSeveralAnswers) {
    enter(10, 12, GapReason::kMissing);
    enter(11, 14, GapReason::kDropped, "disk full");
    const RecoveryWindow window = recovery_window(facts_);
    ASSERT_EQ(window.holes.size(), 2u);
    EXPECT_EQ(window.holes[0].reason, GapReason::kMissing);
    EXPECT_EQ(window.holes[0].end, (Lsn{11 * kMb}));
    EXPECT_TRUE(window.holes[0].recorded);
    EXPECT_EQ(window.holes[1].reason, GapReason::kDropped);
    EXPECT_EQ(window.holes[1].end, (Lsn{12 * kMb})) << "segments 12 and 13 are there";
    EXPECT_EQ(window.holes[1].note, "disk full");
}

TEST_F(RecoveryWindowTest, AnEntryWhoseSegmentsAreThereIsVoid) {
    enter(10, 12, GapReason::kMissing);
    facts_.wal.add(1, 10, 11);
    const RecoveryWindow window = recovery_window(facts_);
    EXPECT_TRUE(window.holes.empty());
    ASSERT_EQ(window.intervals.size(), 1u);
    EXPECT_EQ(window.intervals[0].end, (Lsn{21 * kMb}));
}

TEST_F(RecoveryWindowTest, BehindTheNewestSegmentTheLedgerAloneKnowsOfAHole) {
    enter(21, 23, GapReason::kDropped);
    const RecoveryWindow window = recovery_window(facts_);
    ASSERT_EQ(window.holes.size(), 2u);
    EXPECT_EQ(window.holes[1].begin, (Lsn{21 * kMb}));
    EXPECT_EQ(window.holes[1].before->lsn, (Lsn{21 * kMb}));
    EXPECT_FALSE(window.holes[1].after);
}

TEST_F(RecoveryWindowTest, AHoleOfGivenUpWalWantsABackupUntilOneHasBegunBehindIt) {
    const auto wanting = [&] { return hole_that_wants_a_backup(recovery_window(facts_), facts_); };
    EXPECT_FALSE(wanting()) << "10 and 11 are missing, but nobody gave them up";
    enter(10, 12, GapReason::kDropped);
    EXPECT_FALSE(wanting()) << "backup c begins at 14";
    enter(21, 23, GapReason::kDropped);
    ASSERT_TRUE(wanting());
    EXPECT_EQ(wanting()->timeline, 1u);
    EXPECT_EQ(wanting()->end, (Lsn{23 * kMb}));
    add("within", 1, 22, 24);
    EXPECT_TRUE(wanting()) << "it begins before the end of the hole";
    add("behind", 1, 23, 24);
    EXPECT_FALSE(wanting());
}

TEST_F(RecoveryWindowTest, ABackupOfAYoungerTimelineServesToo) {
    enter(21, 23, GapReason::kDropped);
    facts_.histories.emplace(2, TimelineHistory(2, {{1, {25 * kMb + 100}, "test"}}));
    add("promoted", 2, 26, 27);
    EXPECT_FALSE(hole_that_wants_a_backup(recovery_window(facts_), facts_));
}

TEST_F(RecoveryWindowTest, WhatRetentionRemovedBeforeAllElseIsNoHole) {
    enter(0, 1, GapReason::kPruned);
    EXPECT_EQ(recovery_window(facts_).holes.size(), 1u);
}

TEST_F(RecoveryWindowTest, ATimelineBeginsWhereItForkedOffAndMissingItsFirstSegmentIsAHole) {
    facts_.histories.emplace(2, TimelineHistory(2, {{1, {8 * kMb + 100}, "test"}}));
    facts_.wal.add(2, 8, 9);
    RecoveryWindow window = recovery_window(facts_);
    ASSERT_EQ(window.intervals.size(), 3u);
    EXPECT_EQ(window.intervals[2].timeline, 2u);
    EXPECT_EQ(window.intervals[2].begin, (Lsn{8 * kMb + 100}));
    EXPECT_FALSE(window.intervals[2].begin_time);
    EXPECT_EQ(window.intervals[2].backup, "a");

    facts_.wal = WalInventory(kRestoreSegmentSize);
    facts_.wal.add(1, 1, 8);
    facts_.wal.add(2, 9, 9);
    window = recovery_window(facts_);
    ASSERT_EQ(window.holes.size(), 1u);
    EXPECT_EQ(window.holes[0].timeline, 2u);
    EXPECT_EQ(window.holes[0].begin, (Lsn{8 * kMb}));
}

TEST_F(RecoveryWindowTest, ARestoreAcrossAHoleIsRefusedWithItsReasonAndBothSides) {
    enter(10, 12, GapReason::kDropped);
    const auto candidates = list_candidates(facts_, {"b", {}});
    ASSERT_TRUE(candidates.ok());
    ASSERT_TRUE(candidates->front().hole);
    const Error error = hole_error(candidates->front(), kRestoreSegmentSize, Lsn{10 * kMb - 64});
    EXPECT_EQ(error.code(), ErrorCode::missing_wal);
    EXPECT_THAT(error.message(), HasSubstr("dropped"));
    EXPECT_THAT(error.message(), HasSubstr(to_string(WalSegmentName{1, 10}, kRestoreSegmentSize)));
    EXPECT_THAT(error.message(), HasSubstr(to_string(WalSegmentName{1, 11}, kRestoreSegmentSize)));
    EXPECT_THAT(error.detail(), HasSubstr(to_string(Lsn{10 * kMb - 64})));
    EXPECT_THAT(error.detail(), HasSubstr(to_string(Lsn{15 * kMb + 80})));
    EXPECT_THAT(error.hint(), HasSubstr("--backup c"));
    EXPECT_THAT(error.hint(), HasSubstr("--target-lsn " + to_string(Lsn{10 * kMb - 64})));
}

TEST_F(RecoveryWindowTest, ABackupWithoutTheWalItNeedsSaysWhyThatWent) {
    enter(10, 12, GapReason::kPruned);
    add("d", 1, 9, 10);
    const auto candidates = list_candidates(facts_, {"d", {}});
    ASSERT_FALSE(candidates.ok());
    EXPECT_THAT(candidates.error().detail(), HasSubstr("removed by retention"));
}

TEST_F(RecoveryWindowTest, ACandidateKnowsTheRecordedRestorePointsWithinItsReach) {
    facts_.restore_points = {{"p", "", 1, {8 * kMb}, kNoon},  {"p", "", 1, {5 * kMb}, kNoon},  {"q", "", 1, {8 * kMb}, kNoon},
                             {"p", "", 1, {13 * kMb}, kNoon}, {"p", "", 1, {19 * kMb}, kNoon}, {"p", "", 2, {18 * kMb}, kNoon}};
    const auto candidates = list_candidates(facts_, {std::nullopt, {.kind = TargetKind::kName, .name = "p"}});
    ASSERT_TRUE(candidates.ok());
    std::vector<std::vector<uint64_t>> found;
    for (const Candidate& candidate : *candidates) {
        found.emplace_back();
        for (const RecordedRestorePoint& point : candidate.recorded_points) found.back().push_back(point.lsn.value / kMb);
    }
    EXPECT_EQ(found, (std::vector<std::vector<uint64_t>>{{19}, {8}, {5, 8}}));
}

// Random clusters against a reference that decides about single positions and single segments by definition.
class RandomCluster {
public:
    explicit RandomCluster(uint32_t seed) : random_(seed), facts_{.backups = {}, .wal = WalInventory(kRestoreSegmentSize)} {
        std::vector<TimelineHistoryEntry> ancestors;
        uint64_t fork = 0;
        for (TimelineId timeline = 1; timeline <= 3; ++timeline) {
            if (timeline > 1) {
                fork += 1 + below(6 * kMb);
                // Off the timeline before it, or off that one's parent.
                if (ancestors.size() > 0 && below(3) == 0 && ancestors.back().switch_lsn.value < fork)
                    ancestors.back() = {ancestors.back().timeline, {fork}, "test"};
                else
                    ancestors.push_back({timeline - 1, {fork}, "test"});
                facts_.histories.emplace(timeline, TimelineHistory(timeline, ancestors));
            }
            for (uint64_t segment = fork / kMb; segment < kSegments; ++segment)
                if (below(5) != 0) facts_.wal.add(timeline, segment, segment);
            for (int i = 0; i < 3; ++i) add_backup(timeline, fork);
        }
        for (int i = 0; i < 5; ++i) {
            const uint64_t first = below(kSegments);
            facts_.gaps.push_back({1 + static_cast<TimelineId>(below(3)), {first * kMb}, {(first + 1 + below(4)) * kMb},
                                   static_cast<GapReason>(below(3)), kNoon + std::chrono::seconds(i), {}});
        }
    }

    const RestoreFacts& facts() const { return facts_; }
    uint64_t below(uint64_t n) { return std::uniform_int_distribution<uint64_t>(0, n - 1)(random_); }

    bool present(const TimelineHistory& history, uint64_t segment) const { return facts_.wal.has(facts_.wal.on_history(history, segment)); }

    bool reachable(const TimelineHistory& history, uint64_t lsn) const {
        for (const BackupFact& fact : facts_.backups) {
            const BackupSummary& backup = fact.summary;
            if (!is_on_history(backup, history) || backup.stop_lsn.value > lsn) continue;
            bool whole = true;
            for (uint64_t s = backup.start_lsn.value / kMb; s <= (lsn - 1) / kMb && whole; ++s) whole = present(history, s);
            if (whole) return true;
        }
        return false;
    }

    /// Not there, with WAL somewhere before it, and either WAL somewhere after it or an entry of the ledger.
    bool is_hole(const TimelineHistory& history, uint64_t segment) const {
        if (present(history, segment)) return false;
        bool before = false, after = false;
        for (uint64_t s = 0; s < segment; ++s) before = before || present(history, s);
        for (uint64_t s = segment + 1; s < kSegments; ++s) after = after || present(history, s);
        return before && (after || !entries(facts_.wal.on_history(history, segment)).empty());
    }

    std::vector<const RecordedGap*> entries(WalSegmentName name) const {
        std::vector<const RecordedGap*> found;
        for (const RecordedGap& gap : facts_.gaps)
            if (gap.timeline == name.timeline && gap.begin.value / kMb <= name.segment_number && name.segment_number < gap.end.value / kMb) found.push_back(&gap);
        return found;
    }

    static constexpr uint64_t kSegments = 24;

private:
    void add_backup(TimelineId timeline, uint64_t fork) {
        const uint64_t start = fork + 1 + below(kSegments * kMb - fork), stop = start + 1 + below(2 * kMb);
        facts_.backups.push_back({test_summary("b" + std::to_string(facts_.backups.size()), timeline, start, stop), 0});
    }

    std::mt19937 random_;
    RestoreFacts facts_;
};

TEST(RecoveryWindowProperty, IntervalsHoldExactlyThePositionsThatCanBeReached) {
    int reached = 0;
    for (uint32_t seed = 1; seed <= 300; ++seed) {
        RandomCluster cluster(seed);
        const RecoveryWindow window = recovery_window(cluster.facts());
        for (TimelineId timeline = 1; timeline <= 3; ++timeline) {
            const TimelineHistory history = history_of(cluster.facts(), timeline);
            const uint64_t fork = history.ancestors().empty() ? 0 : history.ancestors().back().switch_lsn.value;
            std::vector<uint64_t> positions;
            for (int i = 0; i < 60; ++i) positions.push_back(fork + 1 + cluster.below(28 * kMb));
            for (uint64_t s = fork / kMb + 1; s < 27; ++s) positions.insert(positions.end(), {s * kMb - 1, s * kMb, s * kMb + 1});
            for (const BackupFact& backup : cluster.facts().backups) positions.insert(positions.end(), {backup.summary.stop_lsn.value - 1, backup.summary.stop_lsn.value});
            for (const uint64_t lsn : positions) {
                if (lsn <= fork) continue;
                const bool expected = cluster.reachable(history, lsn);
                reached += expected;
                ASSERT_EQ(interval_at(window, timeline, {lsn}) != nullptr, expected) << "seed " << seed << ", timeline " << timeline << ", " << Lsn{lsn}.value;
            }
        }
    }
    EXPECT_GT(reached, 1000);
}

TEST(RecoveryWindowProperty, HolesAreExactlyTheSegmentsThatAreNotThereWithTheLedgersReason) {
    int holes = 0;
    for (uint32_t seed = 1; seed <= 300; ++seed) {
        const RandomCluster cluster(seed);
        const RecoveryWindow window = recovery_window(cluster.facts());
        for (TimelineId timeline = 1; timeline <= 3; ++timeline) {
            const TimelineHistory history = history_of(cluster.facts(), timeline);
            for (uint64_t s = 0; s < 30; ++s) {
                if (cluster.facts().wal.on_history(history, s).timeline != timeline) continue;
                std::vector<const WalHole*> found;
                for (const WalHole& hole : window.holes)
                    if (hole.timeline == timeline && hole.begin.value / kMb <= s && s < hole.end.value / kMb) found.push_back(&hole);
                ASSERT_EQ(found.size(), cluster.is_hole(history, s) ? 1u : 0u) << "seed " << seed << ", timeline " << timeline << ", segment " << s;
                if (found.empty()) continue;
                ++holes;
                const auto entries = cluster.entries({timeline, s});
                ASSERT_EQ(found[0]->recorded.has_value(), !entries.empty());
                const bool on_purpose = std::ranges::any_of(entries, [](const RecordedGap* g) { return g->reason != GapReason::kMissing; });
                EXPECT_EQ(found[0]->reason != GapReason::kMissing, on_purpose);
            }
        }
        for (const WalHole& hole : window.holes) {
            EXPECT_TRUE(!hole.before || hole.before->lsn <= hole.begin);
            EXPECT_TRUE(!hole.after || hole.after->lsn >= hole.end);
        }
    }
    EXPECT_GT(holes, 500);
}

}  // namespace
}  // namespace steward
