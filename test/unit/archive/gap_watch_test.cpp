#include "core/archive/gap_watch.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <set>

namespace steward {
namespace {

using ::testing::IsEmpty;

constexpr uint32_t kSize = 1024 * 1024;
const TimePoint kNow(std::chrono::seconds(1'790'000'000));

WalInventory wal_of(std::initializer_list<std::pair<uint64_t, uint64_t>> ranges, TimelineId timeline = 1) {
    WalInventory wal(kSize);
    for (const auto& [first, last] : ranges) wal.add(timeline, first, last);
    return wal;
}

std::vector<std::pair<uint64_t, uint64_t>> segments(const std::vector<RecordedGap>& gaps) {
    std::vector<std::pair<uint64_t, uint64_t>> found;
    for (const RecordedGap& gap : gaps) found.emplace_back(gap.begin.value / kSize, gap.end.value / kSize);
    return found;
}
using Found = std::vector<std::pair<uint64_t, uint64_t>>;

TEST(GapWatchTest, ReportsAHoleAtTheSecondLook) {
    GapWatch watch;
    const WalInventory wal = wal_of({{1, 3}, {6, 9}});
    EXPECT_THAT(watch.look(wal, {}, {}, kNow), IsEmpty());
    const auto gaps = watch.look(wal, {}, {}, kNow);
    EXPECT_EQ(segments(gaps), (Found{{4, 6}}));
    EXPECT_EQ(gaps.front().reason, GapReason::kMissing);
    EXPECT_EQ(gaps.front().time, kNow);
}

TEST(GapWatchTest, GoesOnReportingUntilTheHoleIsInTheLedger) {
    GapWatch watch;
    const WalInventory wal = wal_of({{1, 3}, {6, 9}});
    static_cast<void>(watch.look(wal, {}, {}, kNow));
    const auto gaps = watch.look(wal, {}, {}, kNow);
    EXPECT_EQ(segments(watch.look(wal, {}, {}, kNow)), segments(gaps));
    EXPECT_THAT(watch.look(wal, {}, gaps, kNow), IsEmpty());
}

TEST(GapWatchTest, SaysNothingOfAHoleThatIsFilledBetweenTwoLooks) {
    GapWatch watch;
    static_cast<void>(watch.look(wal_of({{1, 3}, {6, 9}}), {}, {}, kNow));
    EXPECT_EQ(segments(watch.look(wal_of({{1, 4}, {6, 9}}), {}, {}, kNow)), (Found{{5, 6}}));
    EXPECT_THAT(watch.look(wal_of({{1, 9}}), {}, {}, kNow), IsEmpty());
    EXPECT_THAT(watch.look(wal_of({{1, 3}, {6, 9}}), {}, {}, kNow), IsEmpty()) << "a new hole counts from its own first look";
}

TEST(GapWatchTest, WaitsForSegmentsThatAreStillToBeArchived) {
    GapWatch watch;
    const WalInventory wal = wal_of({{1, 3}, {6, 9}});
    const std::vector<std::string> ready = {to_string(WalSegmentName{1, 4}, kSize), "00000002.history"};
    for (int i = 0; i < 3; ++i) static_cast<void>(watch.look(wal, ready, {}, kNow));
    EXPECT_EQ(segments(watch.look(wal, ready, {}, kNow)), (Found{{5, 6}}));
    static_cast<void>(watch.look(wal, {}, {}, kNow));
    EXPECT_EQ(segments(watch.look(wal, {}, {}, kNow)), (Found{{4, 6}}));
}

TEST(GapWatchTest, SeesNoHoleBetweenTimelinesNorAtTheEnds) {
    GapWatch watch;
    WalInventory wal = wal_of({{5, 7}});
    wal.add(2, 12, 14);
    for (int i = 0; i < 3; ++i) EXPECT_THAT(watch.look(wal, {}, {}, kNow), IsEmpty());
}

// Against a reference that knows single segments only.
TEST(GapWatchTest, AgreesWithAReferenceOnRandomHistories) {
    std::mt19937 random(20261121);
    const auto below = [&](uint32_t n) { return std::uniform_int_distribution<uint32_t>(0, n - 1)(random); };
    for (int round = 0; round < 300; ++round) {
        GapWatch watch;
        std::set<uint64_t> stored, before;
        std::vector<RecordedGap> ledger;
        for (int step = 0; step < 6; ++step) {
            WalInventory wal(kSize);
            for (int i = 0; i < 4; ++i) stored.insert(1 + below(24));
            for (const uint64_t segment : stored) wal.add(1, segment, segment);
            if (below(3) == 0) {
                const uint64_t first = 1 + below(20);
                ledger.push_back({1, start_lsn(first, kSize), start_lsn(first + 1 + below(4), kSize), GapReason::kPruned, kNow, {}});
            }
            const uint64_t waiting = 1 + below(24);
            std::set<uint64_t> missing, expected, found;
            for (uint64_t s = *stored.begin(); s < *stored.rbegin(); ++s) {
                const bool entered = std::ranges::any_of(ledger, [&](const RecordedGap& g) { return g.begin.value / kSize <= s && s < g.end.value / kSize; });
                if (!stored.contains(s) && s != waiting && !entered) missing.insert(s);
            }
            for (const uint64_t s : missing)
                if (before.contains(s)) expected.insert(s);
            for (const RecordedGap& gap : watch.look(wal, {to_string(WalSegmentName{1, waiting}, kSize)}, ledger, kNow))
                for (uint64_t s = gap.begin.value / kSize; s < gap.end.value / kSize; ++s) EXPECT_TRUE(found.insert(s).second);
            EXPECT_EQ(found, expected) << "round " << round << ", step " << step;
            before = missing;
        }
    }
}

}  // namespace
}  // namespace steward
