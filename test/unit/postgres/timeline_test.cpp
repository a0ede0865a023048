#include "core/postgres/timeline.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

constexpr uint32_t kSegmentSize = 16 * 1024 * 1024;

TimelineHistory three_timelines() {
    auto history =
        parse_timeline_history(3, "1\t0/3500000\tno recovery target specified\n\n# a comment\n2\t0/5000000\tbefore 2026-11-20\n");
    return std::move(history).value();
}

TEST(Timeline, ParsesAHistoryFile) {
    const auto history = three_timelines();
    ASSERT_EQ(history.ancestors().size(), 2u);
    EXPECT_EQ(history.ancestors()[0].timeline, 1u);
    EXPECT_EQ(history.ancestors()[0].switch_lsn, Lsn{0x3500000});
    EXPECT_EQ(history.ancestors()[0].reason, "no recovery target specified");
    EXPECT_EQ(history.ancestors()[1].reason, "before 2026-11-20");
    EXPECT_EQ(timeline_history_name(26), "0000001A.history");
}

TEST(Timeline, RefusesDamagedHistoryFiles) {
    for (const char* text : {"x\t0/1\t\n", "1\n", "1\t0-1\n", "2\t0/1\n1\t0/2\n", "1\t0/1\n1\t0/2\n", "3\t0/1\n", "0\t0/1\n"}) {
        const auto history = parse_timeline_history(3, text);
        ASSERT_FALSE(history.ok()) << text;
        EXPECT_EQ(history.error().code(), ErrorCode::corrupt_object);
    }
}

TEST(Timeline, FindsTheTimelineOfAPosition) {
    const auto history = three_timelines();
    EXPECT_EQ(history.timeline_at(Lsn{0x1000000}), 1u);
    EXPECT_EQ(history.timeline_at(Lsn{0x34FFFFF}), 1u);
    EXPECT_EQ(history.timeline_at(Lsn{0x3500000}), 2u);
    EXPECT_EQ(history.timeline_at(Lsn{0x5000000}), 3u);
    EXPECT_EQ(TimelineHistory(1).timeline_at(Lsn{0x5000000}), 1u);
}

TEST(Timeline, KnowsWhereTimelinesEnd) {
    const auto history = three_timelines();
    EXPECT_EQ(history.end_of(1).value(), Lsn{0x3500000});
    EXPECT_EQ(history.end_of(2).value(), Lsn{0x5000000});
    EXPECT_EQ(history.end_of(3).value(), std::nullopt);
    EXPECT_FALSE(history.end_of(4).ok());
}

TEST(Timeline, ContainsOnlyWhatReplayPasses) {
    const auto history = three_timelines();
    EXPECT_TRUE(history.contains(1, Lsn{0x3500000}));
    EXPECT_FALSE(history.contains(1, Lsn{0x3500001}));
    EXPECT_FALSE(history.contains(2, Lsn{0x3400000}));
    EXPECT_TRUE(history.contains(2, Lsn{0x3500000}));
    EXPECT_TRUE(history.contains(3, Lsn{0x9000000}));
    EXPECT_FALSE(history.contains(4, Lsn{0x9000000}));
}

TEST(Timeline, TrustsTheYoungestWhenSwitchPointsGoBackwards) {
    const auto history = parse_timeline_history(3, "1\t0/5000000\n2\t0/4000000\n").value();
    EXPECT_EQ(history.timeline_at(Lsn{0x4500000}), 3u);
    EXPECT_EQ(history.timeline_at(Lsn{0x3000000}), 1u);
    EXPECT_EQ(history.end_of(1).value(), Lsn{0x4000000});
    EXPECT_FALSE(history.contains(1, Lsn{0x4500000}));
    EXPECT_TRUE(history.contains(3, Lsn{0x4500000}));
    EXPECT_TRUE(history.contains(3, Lsn{0x4000000}));
    EXPECT_FALSE(history.contains(3, Lsn{0x3FFFFFF}));
    EXPECT_FALSE(history.contains(2, Lsn{0x4500000}));
}

TEST(Timeline, NamesTheSegmentsThatRecoveryReads) {
    const auto segments = three_timelines().segments_between(1, Lsn{0x2000028}, Lsn{0x6000000}, kSegmentSize).value();
    const std::vector<WalSegmentName> expected = {{1, 2}, {2, 3}, {2, 4}, {3, 5}};
    EXPECT_EQ(segments, expected);
    EXPECT_TRUE(three_timelines().segments_between(1, Lsn{0x2000028}, Lsn{0x2000028}, kSegmentSize).value().empty());
}

TEST(Timeline, RefusesRangesThatAreNotOnTheHistory) {
    const auto history = three_timelines();
    EXPECT_FALSE(history.segments_between(1, Lsn{0x4000000}, Lsn{0x6000000}, kSegmentSize).ok());
    EXPECT_FALSE(history.segments_between(1, Lsn{0x2000000}, Lsn{0x1000000}, kSegmentSize).ok());
    EXPECT_FALSE(history.segments_between(1, Lsn{1}, Lsn{UINT64_MAX}, kSegmentSize).ok());
    EXPECT_FALSE(history.segments_between(1, Lsn{1}, Lsn{2}, 12345).ok());
}

}  // namespace
}  // namespace steward
