#include "core/schedule/owed_backup.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

using namespace std::chrono_literals;

const TimePoint kNoon(std::chrono::seconds(1'790'500'000));

OwedBackupFacts owed() {
    return {.owed = WalPlace{2, {1000}}, .looked = kNoon, .reached = {2, {1500}}, .now = kNoon + 1s};
}

TEST(OwedBackup, BeginsAtOnce) { EXPECT_EQ(owed_backup_at(owed()), kNoon + 1s); }

TEST(OwedBackup, ThatMayBeginAnywhereBeginsAtOnceToo) {
    OwedBackupFacts facts = owed();
    facts.owed = WalPlace{};
    EXPECT_EQ(owed_backup_at(facts), kNoon + 1s);
}

TEST(OwedBackup, IsNotTakenWhenNoneIsOwedOrInRecoveryOrBesideAnother) {
    OwedBackupFacts facts = owed();
    facts.owed.reset();
    EXPECT_FALSE(owed_backup_at(facts));
    facts = owed();
    facts.in_recovery = true;
    EXPECT_FALSE(owed_backup_at(facts));
    facts = owed();
    facts.running = true;
    EXPECT_FALSE(owed_backup_at(facts));
}

TEST(OwedBackup, IsOfNoUseToAServerThatIsBackBeforeTheGap) {
    OwedBackupFacts facts = owed();
    facts.reached = {3, {999}};
    EXPECT_FALSE(owed_backup_at(facts));
    facts.reached = {1, {2000}};
    EXPECT_FALSE(owed_backup_at(facts));
    facts.reached = {3, {1000}};
    EXPECT_TRUE(owed_backup_at(facts));
}

TEST(OwedBackup, IsDecidedOnALookThatHasSeenTheLastBackup) {
    OwedBackupFacts facts = owed();
    facts.last_end = facts.looked;
    EXPECT_FALSE(owed_backup_at(facts));
    facts.last_end = facts.looked - 1us;
    EXPECT_EQ(owed_backup_at(facts), facts.now);
}

TEST(OwedBackup, ThatFailedIsTriedAgainAfterAPause) {
    OwedBackupFacts facts = owed();
    facts.last_end = kNoon - 10s;
    facts.last_failed = true;
    EXPECT_EQ(owed_backup_at(facts), kNoon - 10s + kOwedBackupPause);
    facts.now = kNoon + 2 * kOwedBackupPause;
    EXPECT_EQ(owed_backup_at(facts), facts.now);
}

}  // namespace
}  // namespace steward
