#include <gmock/gmock.h>

#include "retention/expiry_fixture.h"

namespace steward {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// One timeline, backups "d10", "d20" ... "d90" of those days; "d10" needs the segments 10 and 11.
class KeepBackups : public ExpiryTest {
protected:
    KeepBackups() {
        for (int day = 10; day <= 90; day += 10) add(formatted("d{}", day), 1, static_cast<uint64_t>(day), day);
        add_wal(1, 1, 100);
    }
    BackupRecord& backup(std::string_view label) {
        return *std::ranges::find(facts_.backups, label, [](const BackupRecord& b) { return b.summary.label; });
    }
};

TEST_F(KeepBackups, AllWithoutAPolicy) {
    EXPECT_EQ(kept("").size(), 9u);
    EXPECT_THAT(reasons("", "d10"), ElementsAre("no retention policy"));
    EXPECT_THAT(order_of_removal(plan("")), IsEmpty());
}

TEST_F(KeepBackups, TheNewestSoMany) {
    EXPECT_THAT(kept("3"), ElementsAre("d70", "d80", "d90"));
    EXPECT_THAT(reasons("3", "d70"), ElementsAre("newest 3"));
    EXPECT_THAT(reasons("3", "d90"), ElementsAre("the newest complete backup", "newest 3"));
    EXPECT_THAT(reasons("3", "d60"), ElementsAre("no rule of \"3\" keeps it"));
    EXPECT_EQ(kept("100").size(), 9u);
}

TEST_F(KeepBackups, ThatReachEveryMomentOfTheWindow) {
    EXPECT_THAT(kept("25d"), ElementsAre("d70", "d80", "d90"));
    EXPECT_THAT(reasons("25d", "d70"), ElementsAre("needed to reach 2026-03-17 12:00 (window 25d)"));
    EXPECT_THAT(reasons("25d", "d80"), ElementsAre("in the window 25d, which begins at 2026-03-17 12:00"));
    EXPECT_THAT(kept("30d"), ElementsAre("d70", "d80", "d90")) << "a backup that stopped at the begin reaches it";
    EXPECT_THAT(kept("721h"), ElementsAre("d60", "d70", "d80", "d90"));
    EXPECT_EQ(kept("999999w").size(), 9u);
    EXPECT_THAT(kept("1h"), ElementsAre("d90"));
}

TEST_F(KeepBackups, OfLocalCalendarPeriods) {
    // Days 10..90 are January 11, 21, 31, February 10, 20, March 2, 12, 22 and April 1.
    EXPECT_THAT(kept("daily=2"), ElementsAre("d80", "d90"));
    EXPECT_THAT(kept("monthly=3"), ElementsAre("d50", "d80", "d90"));
    EXPECT_THAT(reasons("monthly=3", "d50"), ElementsAre("monthly 2026-02"));
    EXPECT_THAT(kept("yearly=5"), ElementsAre("d90"));
    add("d81", 1, 81, 81).summary.stopped -= std::chrono::hours(12);
    EXPECT_THAT(kept("weekly=2"), ElementsAre("d81", "d90")) << "midnight after Sunday begins a week";
    rules_.to_local = [](TimePoint time) { return LocalTime(time.time_since_epoch() - std::chrono::minutes(1)); };
    EXPECT_THAT(reasons("daily=2", "d81"), ElementsAre("daily 2026-03-22"));
    EXPECT_THAT(kept("daily=3"), ElementsAre("d70", "d81", "d90")) << "d80 and d81 are of one local day, of which the newest stays";
}

TEST_F(KeepBackups, OfTheDaysOfATimeZone) {
    add("d91", 1, 91, 90).summary.stopped += std::chrono::hours(2);
    EXPECT_THAT(kept("daily=2"), ElementsAre("d80", "d91")) << "d90 and d91 stopped at 12:00 and 14:00 of one day";
    rules_.to_local = local_time_in(*find_time_zone("Asia/Tokyo"));
    EXPECT_THAT(kept("daily=2"), ElementsAre("d80", "d91")) << "at 21:00 and 23:00";
    rules_.to_local = local_time_in(*find_time_zone("Pacific/Auckland"));
    EXPECT_THAT(kept("daily=2"), ElementsAre("d80", "d91")) << "at 01:00 and 03:00 of the next day";
    rules_.to_local = local_time_in(*find_time_zone("Australia/Sydney"));
    EXPECT_THAT(kept("daily=2"), ElementsAre("d90", "d91")) << "at 23:00 and 01:00";
    EXPECT_THAT(reasons("daily=2", "d90"), ElementsAre("daily 2026-04-01"));
    EXPECT_THAT(reasons("daily=2", "d91"), ElementsAre("the newest complete backup", "daily 2026-04-02"));
}

TEST_F(KeepBackups, ForAllOfTheirReasons) {
    backup("d90").pinned = true;
    EXPECT_THAT(reasons("1, 5d, daily=1, weekly=1, monthly=1, yearly=1", "d90"),
                ElementsAre("the newest complete backup", "newest 1", "needed to reach 2026-04-06 12:00 (window 5d)", "daily 2026-04-01",
                            "weekly 2026-W14", "monthly 2026-04", "yearly 2026", "pinned"));
}

TEST_F(KeepBackups, ThatArePinned) {
    backup("d20").pinned = true;
    EXPECT_THAT(kept("1"), ElementsAre("d20", "d90"));
    EXPECT_THAT(reasons("1", "d20"), ElementsAre("pinned"));
}

TEST_F(KeepBackups, InTheOrderOfPositionsAndNotOfTheClock) {
    backup("d90").summary.stopped = expiry_day(1);
    EXPECT_THAT(kept("2"), ElementsAre("d80", "d90"));
}

TEST_F(KeepBackups, OfTheWindowEvenWhenClocksWentBack) {
    backup("d50").summary.stopped = expiry_day(99);
    EXPECT_THAT(kept("25d"), ElementsAre("d50", "d70", "d80", "d90"));
}

TEST_F(KeepBackups, AndNeverTheOnlyCompleteOneGoes) {
    remove_wal(1, 100);
    for (int day = 10; day <= 90; day += 10)
        if (day != 40) remove_wal(1, static_cast<uint64_t>(day));
    EXPECT_THAT(reasons("1", "d40"), ElementsAre("the only complete backup", "newest 1"));
    EXPECT_THAT(kept("yearly=1"), ElementsAre("d40", "d50", "d60", "d70", "d80", "d90"));
    EXPECT_THAT(reasons("yearly=1", "d50"), ElementsAre("no newer backup is complete"));
    EXPECT_EQ(plan("1").backups[4].incomplete, "WAL segment \"000000010000000000000032\" is missing");
}

TEST_F(KeepBackups, AllWhileNoneIsComplete) {
    facts_.wal.clear();
    EXPECT_EQ(kept("1, daily=1").size(), 9u);
    EXPECT_THAT(order_of_removal(plan("1")), IsEmpty());
}

TEST_F(KeepBackups, AndIncompleteOnesTakeNoPlace) {
    remove_wal(1, 81);
    EXPECT_THAT(kept("2"), ElementsAre("d70", "d80", "d90"));
    EXPECT_THAT(reasons("2", "d80"), ElementsAre("newest 2, taking no place"));
    EXPECT_THAT(kept("15d"), ElementsAre("d70", "d80", "d90")) << "only a complete backup reaches the window's begin";
    EXPECT_THAT(kept("monthly=2"), ElementsAre("d70", "d90"));
    facts_.packs.erase(facts_.packs.begin() + 6);
    EXPECT_THAT(kept("2"), ElementsAre("d60", "d70", "d80", "d90"));
    EXPECT_EQ(plan("2").backups[6].incomplete, "pack \"d70\" is missing");
}

TEST_F(KeepBackups, AndThoseWithChecksumFailuresDoNotPushOutTheNewestCleanOne) {
    for (const char* label : {"d70", "d80", "d90"}) backup(label).summary.checksum_failures = 1;
    EXPECT_THAT(kept("2"), ElementsAre("d60", "d80", "d90"));
    EXPECT_THAT(reasons("2", "d60"), ElementsAre("the newest complete backup without checksum failures"));
    EXPECT_THAT(reasons("2", "d90"), ElementsAre("the newest complete backup", "newest 2"));
    remove_wal(1, 60);
    EXPECT_THAT(kept("2"), ElementsAre("d50", "d80", "d90"));
}

// Timeline 1: a on day 10, b on day 40. On day 50 the cluster was recovered to a position between them: timeline 2, with c on day 60.
class KeepBranches : public ExpiryTest {
protected:
    KeepBranches() {
        add("a", 1, 10, 10);
        add("b", 1, 40, 40);
        add_wal(1, 1, 50);
        add_fork(2, 1, 20);
        add_wal(2, 20, 60);
    }
};

TEST_F(KeepBranches, TheOneThatTheRunningClusterDependsOn) {
    EXPECT_THAT(kept("1"), ElementsAre("a", "b"));
    EXPECT_THAT(reasons("1", "a"), ElementsAre("the newest complete backup that leads to timeline 2"));
    add("c", 2, 50, 60);
    EXPECT_THAT(kept("1"), ElementsAre("c"));
}

TEST_F(KeepBranches, TheWindowBeginsOnTheTimelineThatWasInUseThen) {
    add("c", 2, 50, 60);
    EXPECT_THAT(kept("45d"), ElementsAre("a", "b", "c")) << "day 55 is on timeline 2, before c, and only a leads there";
    EXPECT_THAT(reasons("45d", "a"), ElementsAre("needed to reach 2026-02-25 12:00 (window 45d)"));
    EXPECT_THAT(reasons("45d", "b"), ElementsAre("needed to reach 2026-02-25 12:00 (window 45d)")) << "nothing shows that timeline 1 was over";
    EXPECT_THAT(kept("40d"), ElementsAre("c"));
}

TEST_F(KeepBranches, AnAbandonedOneWhileTheWindowCoversIt) {
    add("c", 2, 50, 60);
    EXPECT_THAT(kept("70d"), ElementsAre("a", "b", "c"));
    EXPECT_THAT(reasons("70d", "b"), ElementsAre("in the window 70d, which begins at 2026-01-31 12:00"));
}

TEST_F(KeepBranches, OfAServerThatWentOnAfterThePromotion) {
    add("c", 2, 50, 60);
    add("late", 1, 48, 80);
    EXPECT_THAT(kept("30d"), ElementsAre("b", "late", "c")) << "timeline 1 was in use in the window, and b reaches its begin there";
}

TEST_F(KeepBranches, ByTheTimelineAtTheBackupsEnd) {
    auto& across = add("across", 1, 19, 55).summary;
    across.stop_timeline = 2;
    across.stop_lsn = {20 * kExpirySegmentSize + kExpirySegmentSize / 2 + 100};
    EXPECT_THAT(reasons("1", "across"), ElementsAre("the newest complete backup that leads to timeline 2"));
    across.stop_lsn = {20 * kExpirySegmentSize};
    EXPECT_EQ(plan("1").backups[1].incomplete, "its start or stop is not in the history of timeline 2");
}

}  // namespace
}  // namespace steward
