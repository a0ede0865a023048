#include "core/repository/gap_ledger.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "core/repository/restore_points.h"
#include "repository/memory_repository.h"

namespace steward {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint64_t kMb = 1024 * 1024;
const TimePoint kNoon(std::chrono::seconds(1'790'000'000));

class RecordsInARepository : public ::testing::Test {
protected:
    static RecordedGap gap(uint64_t begin, uint64_t end, GapReason reason = GapReason::kMissing) {
        return {1, {begin * kMb}, {end * kMb}, reason, kNoon, "a note"};
    }
    static RecordedRestorePoint point(std::string name, uint64_t lsn) { return {std::move(name), "before the \"upgrade\"", 2, {lsn}, kNoon}; }

    MemoryStore store_;
    Repository repository_ = store_.claim(kTestIdentity);
};

TEST_F(RecordsInARepository, GapsComeBackAsTheyWereEnteredInOrder) {
    ASSERT_TRUE(record_gap(repository_, gap(9, 10, GapReason::kPruned)).ok());
    ASSERT_TRUE(record_gap(repository_, gap(3, 5, GapReason::kDropped)).ok());
    GapLedger ledger;
    EXPECT_THAT(ledger.read(repository_).value(), ElementsAre(gap(3, 5, GapReason::kDropped), gap(9, 10, GapReason::kPruned)));
    EXPECT_THAT(ledger.damaged(), IsEmpty());
}

TEST_F(RecordsInARepository, TheFirstEntryOfARangeStands) {
    ASSERT_EQ(record_gap(repository_, gap(3, 5, GapReason::kDropped)).value(), StoreOutcome::kStored);
    EXPECT_EQ(record_gap(repository_, gap(3, 5, GapReason::kMissing)).value(), StoreOutcome::kAlreadyStored);
    EXPECT_THAT(GapLedger().read(repository_).value(), ElementsAre(gap(3, 5, GapReason::kDropped)));
}

TEST_F(RecordsInARepository, AGapOfPartsOfSegmentsIsRefused) {
    for (const auto& [begin, end] : {std::pair(3 * kMb + 1, 5 * kMb), std::pair(3 * kMb, 5 * kMb - 1), std::pair(5 * kMb, 5 * kMb)})
        EXPECT_EQ(record_gap(repository_, {1, {begin}, {end}, GapReason::kMissing, kNoon, {}}).error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(GapLedger().read(repository_).value(), IsEmpty());
}

TEST_F(RecordsInARepository, ALedgerReadsEachEntryOnce) {
    ASSERT_TRUE(record_gap(repository_, gap(3, 5)).ok());
    GapLedger ledger;
    ASSERT_EQ(ledger.read(repository_)->size(), 1u);
    store_.damage(repository_.layout().gap(1, {3 * kMb}, {5 * kMb}), 140);
    EXPECT_EQ(ledger.read(repository_)->size(), 1u);
    ASSERT_TRUE(repository_.storage().remove(repository_.layout().gap(1, {3 * kMb}, {5 * kMb})).ok());
    EXPECT_THAT(ledger.read(repository_).value(), IsEmpty());
}

TEST_F(RecordsInARepository, ADamagedEntryIsNamedAndDoesNotHideTheOthers) {
    ASSERT_TRUE(record_gap(repository_, gap(3, 5)).ok());
    ASSERT_TRUE(record_gap(repository_, gap(7, 8)).ok());
    const std::string key = repository_.layout().gap(1, {3 * kMb}, {5 * kMb});
    store_.damage(key, 150);
    GapLedger ledger;
    EXPECT_THAT(ledger.read(repository_).value(), ElementsAre(gap(7, 8)));
    ASSERT_EQ(ledger.damaged().size(), 1u);
    EXPECT_EQ(ledger.damaged().front().object(), key);
}

TEST_F(RecordsInARepository, AnEntryUnderAnotherRangesNameIsDamage) {
    const std::string key = repository_.layout().gap(1, {3 * kMb}, {6 * kMb});
    ASSERT_TRUE(store_record(repository_, key, ObjectKind::kGap, render_gap(gap(3, 5))).ok());
    GapLedger ledger;
    EXPECT_THAT(ledger.read(repository_).value(), IsEmpty());
    ASSERT_EQ(ledger.damaged().size(), 1u);
    EXPECT_THAT(ledger.damaged().front().message(), HasSubstr("does not describe a gap"));
}

TEST_F(RecordsInARepository, EntriesWithoutSenseAreNotParsed) {
    const Json whole = render_gap(gap(3, 5));
    ASSERT_TRUE(parse_gap(whole));
    const std::pair<const char*, Json> bad[] = {{"timeline", 0}, {"timeline", -1}, {"timeline", "1"}, {"begin", "x"}, {"begin", "0/500000"},
                                                {"end", 7},      {"reason", "lost"}, {"time", "yesterday"}};
    for (const auto& [name, value] : bad) {
        auto changed = whole;
        changed[name] = value;
        EXPECT_FALSE(parse_gap(changed)) << name << " " << value;
        changed.erase(name);
        EXPECT_FALSE(parse_gap(changed)) << name;
    }
}

TEST_F(RecordsInARepository, RestorePointsComeBackInTheOrderOfTheWal) {
    ASSERT_TRUE(record_restore_point(repository_, point("b", 0x3000)).ok());
    ASSERT_TRUE(record_restore_point(repository_, point("a", 0x1000)).ok());
    ASSERT_EQ(record_restore_point(repository_, point("a", 0x1000)).value(), StoreOutcome::kAlreadyStored);
    RestorePoints points;
    EXPECT_THAT(points.read(repository_).value(), ElementsAre(point("a", 0x1000), point("b", 0x3000)));
    EXPECT_THAT(points.damaged(), IsEmpty());
}

TEST_F(RecordsInARepository, ANameThatIsNoUtf8IsRecordedAllTheSame) {
    ASSERT_TRUE(record_restore_point(repository_, point("caf\xE9", 0x1000)).ok());
    const auto read = RestorePoints().read(repository_);
    ASSERT_EQ(read->size(), 1u);
    EXPECT_THAT(read->front().name, HasSubstr("caf"));
}

TEST_F(RecordsInARepository, AStoreThatCannotBeReadIsAnErrorAndNoEmptyLedger) {
    ASSERT_TRUE(record_gap(repository_, gap(3, 5)).ok());
    store_.faulty.fail_always(StorageOperation::kList, Error(ErrorCode::network, "gone"));
    EXPECT_FALSE(GapLedger().read(repository_).ok());
}

}  // namespace
}  // namespace steward
