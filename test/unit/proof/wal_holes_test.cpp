#include "core/proof/wal_holes.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

constexpr uint32_t kSegmentBytes = 16 * 1024 * 1024;

Lsn segment_at(uint64_t segment) { return start_lsn(segment, kSegmentBytes); }
WalRange range(TimelineId timeline, uint64_t first, uint64_t last) {
    return {timeline, to_string(WalSegmentName{timeline, first}, kSegmentBytes), to_string(WalSegmentName{timeline, last}, kSegmentBytes), last - first + 1, 0};
}
const std::vector<WalRange> kStored = {range(1, 2, 5), range(1, 10, 20), range(2, 15, 16), range(2, 18, 30)};

TEST(FindWalHoles, ListsWhatIsMissingBetweenSegmentsOfOneTimeline) {
    EXPECT_EQ(find_wal_holes(kStored, {}, Lsn{0}, kSegmentBytes), (std::vector<WalInterval>{{1, segment_at(6), segment_at(10)}, {2, segment_at(17), segment_at(18)}}));
}

TEST(FindWalHoles, LeavesOutWhatNoBackupNeeds) {
    EXPECT_EQ(find_wal_holes(kStored, {}, Lsn{segment_at(8).value + 100}, kSegmentBytes), (std::vector<WalInterval>{{1, segment_at(8), segment_at(10)}, {2, segment_at(17), segment_at(18)}}));
    EXPECT_TRUE(find_wal_holes(kStored, {}, segment_at(18), kSegmentBytes).empty());
}

TEST(FindWalHoles, LeavesOutWhatTheLedgerAccountsForOnThatTimeline) {
    const std::vector<WalInterval> accounted = {{1, segment_at(7), segment_at(9)}, {1, segment_at(17), segment_at(18)}, {2, segment_at(1), segment_at(100)}};
    EXPECT_EQ(find_wal_holes(kStored, accounted, Lsn{0}, kSegmentBytes), (std::vector<WalInterval>{{1, segment_at(6), segment_at(7)}, {1, segment_at(9), segment_at(10)}}));
}

}  // namespace
}  // namespace steward
