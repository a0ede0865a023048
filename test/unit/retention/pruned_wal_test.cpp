#include "core/retention/pruned_wal.h"

#include <gmock/gmock.h>

#include "retention/expiry_fixture.h"

namespace steward {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class PrunedWalTest : public ExpiryTest {
protected:
    PrunedRecords records(std::string_view policy, const std::vector<PrunedRange>& recorded = {}) {
        const ExpiryPlan made = plan(policy);
        return plan_pruned_records(facts_, rules_.policy, made, recorded);
    }
};

TEST_F(PrunedWalTest, WhatGoesFromTheBeginningIsNoHole) {
    add("a", 1, 1, 10);
    add("b", 1, 10, 20);
    add_wal(1, 1, 15);
    EXPECT_THAT(records("1").record, IsEmpty());
}

TEST_F(PrunedWalTest, WhatGoesBehindAKeptBackupIsOne) {
    add("a", 1, 1, 10).pinned = true;
    add("b", 1, 10, 20);
    add_wal(1, 1, 15);
    EXPECT_THAT(records("1").record, ElementsAre(PrunedRange{1, 3, 9}));
    EXPECT_THAT(records("2").record, IsEmpty());
}

TEST_F(PrunedWalTest, NeighboursBecomeOneRecord) {
    add("a", 1, 1, 10).pinned = true;
    add("b", 1, 10, 20);
    add_wal(1, 1, 2);
    add_wal(1, 6, 15);
    const PrunedRecords planned = records("1", {{1, 3, 5}});
    EXPECT_THAT(planned.record, ElementsAre(PrunedRange{1, 3, 9}));
    EXPECT_THAT(planned.withdraw, ElementsAre(PrunedRange{1, 3, 5}));
}

TEST_F(PrunedWalTest, AnInterruptedRunFindsItsRecord) {
    add("a", 1, 1, 10).pinned = true;
    add("b", 1, 10, 20);
    add_wal(1, 1, 2);
    add_wal(1, 7, 15);
    const PrunedRecords planned = records("1", {{1, 3, 9}});
    EXPECT_THAT(planned.record, IsEmpty());
    EXPECT_THAT(planned.withdraw, IsEmpty());
}

TEST_F(PrunedWalTest, WhatIsThereAndStaysIsTakenOutOfTheRecord) {
    add("a", 1, 1, 10).pinned = true;
    add("b", 1, 5, 20).pinned = true;
    add("c", 1, 12, 30);
    add_wal(1, 1, 2);
    add_wal(1, 5, 15);
    const PrunedRecords planned = records("1", {{1, 3, 11}});
    EXPECT_THAT(planned.record, ElementsAre(PrunedRange{1, 3, 4}, PrunedRange{1, 7, 11}));
    EXPECT_THAT(planned.withdraw, ElementsAre(PrunedRange{1, 3, 11}));
}

TEST_F(PrunedWalTest, ABackupOnAnAncestorStandsBefore) {
    add("a", 1, 1, 10).pinned = true;
    add_fork(2, 1, 5);
    add("b", 2, 10, 20);
    add_wal(1, 1, 5);
    add_wal(2, 5, 15);
    EXPECT_THAT(records("1").record, ElementsAre(PrunedRange{1, 3, 5}, PrunedRange{2, 5, 9}));
}

TEST_F(PrunedWalTest, RecordsThatNoBackupStandsBeforeAreWithdrawn) {
    add("b", 1, 10, 20);
    add_wal(1, 10, 15);
    EXPECT_THAT(records("1", {{1, 3, 9}}).withdraw, ElementsAre(PrunedRange{1, 3, 9}));
    facts_.unreadable = {"x"};
    EXPECT_THAT(records("1", {{1, 3, 9}}).withdraw, IsEmpty()) << "one that cannot be read may stand before it";
}

}  // namespace
}  // namespace steward
