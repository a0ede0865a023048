#include <gmock/gmock.h>

#include "retention/expiry_fixture.h"

namespace steward {
namespace {

using ::testing::ElementsAre;

// Backups a, b and c of the days 10, 50 and 90 on timeline 1, which need the segments 10 and 11, 50 and 51, 90 and 91.
class KeepWal : public ExpiryTest {
protected:
    KeepWal() {
        add("a", 1, 10, 10);
        add("b", 1, 50, 50);
        add("c", 1, 90, 90);
        add_wal(1, 5, 100);
    }
    ExpiryTotals totals(std::string_view policy) { return plan(policy).totals; }
};

TEST_F(KeepWal, AllWithoutAPolicy) { EXPECT_THAT(wal(""), ElementsAre("1:5..100 keep: no retention policy")); }

TEST_F(KeepWal, FromTheOldestCountedBackupOn) {
    EXPECT_THAT(wal("2"), ElementsAre("1:5..49 remove: no kept backup needs it", "1:50..100 keep: recovery from backup \"b\" onwards"));
    EXPECT_EQ(totals("2").removed.wal_segments, 45u);
    EXPECT_EQ(totals("2").removed.wal_bytes, 450u);
    EXPECT_EQ(totals("2").kept.wal_bytes, 510u);
}

TEST_F(KeepWal, FromTheWindowsBackupOn) {
    EXPECT_THAT(wal("5d, 2"), ElementsAre("1:5..49 remove: no kept backup needs it", "1:50..89 keep: recovery from backup \"b\" onwards",
                                          "1:90..100 keep: recovery from backup \"b\" onwards; window 5d"));
}

TEST_F(KeepWal, OnlyFromStartToStopForCalendarAndPin) {
    facts_.backups[0].pinned = true;
    EXPECT_THAT(wal("daily=2"),
                ElementsAre("1:5..9 remove: no kept backup needs it", "1:10..11 keep: between start and stop of backup \"a\"",
                            "1:12..49 remove: no kept backup needs it", "1:50..51 keep: between start and stop of backup \"b\"",
                            "1:52..89 remove: no kept backup needs it", "1:90..100 keep: recovery from backup \"c\" onwards"));
}

TEST_F(KeepWal, UpToTheByteBeforeTheStop) {
    facts_.backups[0].pinned = true;
    facts_.backups[0].summary.stop_lsn = {11 * kExpirySegmentSize};
    EXPECT_THAT(wal("1")[1], "1:10..10 keep: between start and stop of backup \"a\"");
    facts_.backups[0].summary.stop_lsn = {11 * kExpirySegmentSize + 1};
    EXPECT_THAT(wal("1")[1], "1:10..11 keep: between start and stop of backup \"a\"");
}

TEST_F(KeepWal, NamesEveryBackupThatNeedsTheSame) {
    facts_.backups[0].pinned = true;
    add("a2", 1, 11, 11).pinned = true;
    EXPECT_THAT(wal("1"), ::testing::Contains("1:11..11 keep: between start and stop of backup \"a\"; between start and stop of backup \"a2\""));
}

TEST_F(KeepWal, RangesEndAtHoles) {
    remove_wal(1, 95);
    EXPECT_THAT(wal("1"), ElementsAre("1:5..89 remove: no kept backup needs it", "1:90..94 keep: recovery from backup \"c\" onwards",
                                      "1:96..100 keep: recovery from backup \"c\" onwards"));
}

TEST_F(KeepWal, OfARunningBackup) {
    facts_.running.push_back({"now", 1, {30 * kExpirySegmentSize + 40}, std::vector<std::string>()});
    EXPECT_THAT(wal("1"), ElementsAre("1:5..29 remove: no kept backup needs it", "1:30..89 keep: needed by backup \"now\", which is running",
                                      "1:90..100 keep: recovery from backup \"c\" onwards; needed by backup \"now\", which is running"));
}

TEST_F(KeepWal, FromTheNewestCleanBackupOn) {
    facts_.backups[1].summary.checksum_failures = facts_.backups[2].summary.checksum_failures = 1;
    EXPECT_EQ(wal("1").back(), "1:10..100 keep: recovery from backup \"a\" onwards");
}

TEST_F(KeepWal, AllWhileNoBackupIsComplete) {
    remove_wal(1, 10);
    remove_wal(1, 50);
    remove_wal(1, 90);
    EXPECT_THAT(wal("1").front(), "1:5..9 keep: no backup is complete");
    facts_.backups.clear();
    EXPECT_THAT(wal("1").front(), "1:5..9 keep: no backup is complete");
}

TEST_F(KeepWal, AllWhileAManifestCannotBeRead) {
    facts_.unreadable = {"odd"};
    EXPECT_THAT(wal("1"), ElementsAre("1:5..100 keep: backup \"odd\", which cannot be read, may need it"));
}

TEST_F(KeepWal, OfABackupThatContradictsTheHistories) {
    facts_.backups[0].pinned = true;
    facts_.backups[0].summary.stop_timeline = 2;
    add_wal(2, 9, 13);
    EXPECT_THAT(wal("1"), ::testing::IsSupersetOf({"1:10..11 keep: between start and stop of backup \"a\"",
                                                   "2:12..13 remove: no kept backup needs it"}));
    EXPECT_THAT(wal("1"), ::testing::Contains("2:10..11 keep: between start and stop of backup \"a\""));
}

TEST_F(KeepWal, EntriesOfManySegmentsAreDividedInProportion) {
    facts_.wal = {{1, 5, 100, 9601}};
    EXPECT_EQ(totals("2").removed.wal_bytes, 4500u);
    EXPECT_EQ(totals("2").kept.wal_bytes, 5101u);
    facts_.wal = {{1, 5, 40, 36}, {1, 41, 100, 600}};
    EXPECT_THAT(wal("2").front(), "1:5..49 remove: no kept backup needs it");
    EXPECT_EQ(totals("2").removed.wal_bytes, 36u + 90u);
}

// Timeline 1 has the backups a and b at 10 and 40; timeline 2 forked off at 20 and has c at 50; timeline 3 forked off it at 30.
class KeepWalOfBranches : public ExpiryTest {
protected:
    KeepWalOfBranches() {
        add("a", 1, 10, 10);
        add("b", 1, 40, 40);
        add("c", 2, 50, 60);
        add_wal(1, 1, 45);
        add_wal(2, 20, 55);
        add_wal(3, 30, 60);
        add_fork(2, 1, 20);
        add_fork(3, 2, 30);
    }
    BackupRecord& backup(size_t i) { return facts_.backups[i]; }
};

TEST_F(KeepWalOfBranches, AlongEveryTimelineThatDescends) {
    EXPECT_THAT(wal("3"), ElementsAre("1:1..9 remove: no kept backup needs it", "1:10..45 keep: recovery from backup \"a\" onwards",
                                      "2:20..55 keep: recovery from backup \"a\" onwards", "3:30..60 keep: recovery from backup \"a\" onwards"));
}

TEST_F(KeepWalOfBranches, AndNotOfTimelinesThatNoKeptBackupLeadsTo) {
    add("d", 3, 58, 70);
    EXPECT_THAT(kept("2"), ElementsAre("c", "d"));
    EXPECT_THAT(wal("2"), ElementsAre("1:1..45 remove: no kept backup needs it", "2:20..49 remove: no kept backup needs it",
                                      "2:50..55 keep: recovery from backup \"c\" onwards", "3:30..57 remove: no kept backup needs it",
                                      "3:58..60 keep: recovery from backup \"d\" onwards"));
}

TEST_F(KeepWalOfBranches, AnAbandonedBackupKeepsItsOwnWhileItStays) {
    add("d", 3, 58, 70);
    backup(1).pinned = true;
    EXPECT_THAT(wal("1"), ElementsAre("1:1..39 remove: no kept backup needs it", "1:40..41 keep: between start and stop of backup \"b\"",
                                      "1:42..45 remove: no kept backup needs it", "2:20..55 remove: no kept backup needs it",
                                      "3:30..57 remove: no kept backup needs it", "3:58..60 keep: recovery from backup \"d\" onwards"));
}

TEST_F(KeepWalOfBranches, BothCopiesOfTheSegmentInWhichABackupStoppedAndATimelineBegan) {
    add("d", 3, 58, 70);
    backup(0).pinned = true;
    backup(0).summary.start_lsn = {19 * kExpirySegmentSize};
    backup(0).summary.stop_lsn = {20 * kExpirySegmentSize + 80};
    EXPECT_THAT(wal("1"), ::testing::IsSupersetOf({"1:19..20 keep: between start and stop of backup \"a\"",
                                                   "2:20..20 keep: between start and stop of backup \"a\""}));
}

TEST_F(KeepWalOfBranches, OfATimelineWithoutHistoryThatMayContinueABackup) {
    add("d", 3, 58, 70);
    add_wal(5, 50, 62);
    EXPECT_THAT(wal("1").back(), "5:58..62 keep: its timeline has no history file and may continue backup \"d\"");
    facts_.wal.clear();
    add_wal(3, 58, 60);
    add_wal(2, 58, 60);
    facts_.histories.erase(2);
    EXPECT_THAT(wal("1").front(), "2:58..60 remove: no kept backup needs it") << "it is older than the backup's timeline";
}

TEST_F(KeepWalOfBranches, FromTheBackupOnThatTheRunningClusterDependsOn) {
    EXPECT_THAT(kept("1"), ElementsAre("a", "c"));
    EXPECT_EQ(wal("1").back(), "3:30..60 keep: recovery from backup \"a\" onwards");
}

TEST_F(KeepWalOfBranches, OfARunningBackupAlongEveryTimelineThatDescends) {
    add("d", 3, 58, 70);
    facts_.running.push_back({"now", 2, {25 * kExpirySegmentSize}, std::vector<std::string>()});
    EXPECT_THAT(wal("1"), ::testing::IsSupersetOf({"2:25..55 keep: needed by backup \"now\", which is running",
                                                   "3:30..57 keep: needed by backup \"now\", which is running"}));
}

TEST_F(KeepWalOfBranches, OfATimelineThatOnlyItsDescendantsHistoryTellsOf) {
    facts_.histories.erase(2);
    EXPECT_THAT(wal("2"), ::testing::Contains("2:20..30 keep: recovery from backup \"a\" onwards; "
                                              "its timeline has no history file and may continue backup \"a\""));
}

TEST_F(KeepWalOfBranches, FromABackupThatSpansAPromotion) {
    auto& across = add("across", 1, 19, 65);
    across.summary.stop_timeline = 2;
    across.summary.stop_lsn = {21 * kExpirySegmentSize};
    across.pinned = true;
    add("d", 3, 58, 70);
    EXPECT_THAT(wal("1"), ::testing::IsSupersetOf({"1:19..19 keep: between start and stop of backup \"across\"",
                                                   "2:20..20 keep: between start and stop of backup \"across\""}));
}

}  // namespace
}  // namespace steward
