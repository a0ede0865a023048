#include "core/archive/queue_limit.h"

#include <gtest/gtest.h>

#include <random>

#include "core/archive/ready_files.h"
#include "core/postgres/wal_name.h"

namespace steward {
namespace {

using namespace std::chrono_literals;
using Names = std::vector<std::string>;
using SteadyTime = std::chrono::steady_clock::time_point;

constexpr uint32_t kSize = 16 * 1024 * 1024;
constexpr auto kPatience = QueueLimit::kPatience;
const SteadyTime kStart{100h};

Names segments(uint64_t first, uint64_t last, uint32_t timeline = 1) {
    Names names;
    for (uint64_t i = first; i <= last; ++i) names.push_back(to_string(WalSegmentName{timeline, i}, kSize));
    return names;
}

TEST(QueueLimit, OfNothingIsNone) {
    QueueLimit limit(0, kSize);
    EXPECT_TRUE(limit.look(segments(1, 1000), kStart).empty());
    EXPECT_TRUE(limit.look(segments(1, 1000), kStart + 24h).empty());
}

TEST(QueueLimit, IsKeptByGivingUpTheOldest) {
    QueueLimit limit(4 * kSize, kSize);
    EXPECT_TRUE(limit.look(segments(1, 4), kStart).empty());
    EXPECT_TRUE(limit.look(segments(1, 4), kStart + 24h).empty()) << "four may wait";
    EXPECT_TRUE(limit.look(segments(1, 7), kStart + 24h).empty()) << "not before they had their time";
    EXPECT_EQ(limit.look(segments(1, 7), kStart + 24h + kPatience).segments, segments(1, 3));
    EXPECT_TRUE(limit.look(segments(4, 7), kStart + 25h).empty());
}

TEST(QueueLimit, AQueueThatBecomesShorterLosesNothing) {
    QueueLimit limit(4 * kSize, kSize);
    SteadyTime now = kStart;
    for (uint64_t first = 1; first < 90; ++first, now += kPatience - 1s) EXPECT_TRUE(limit.look(segments(first, 100), now).empty());
}

TEST(QueueLimit, AQueueThatIsWorkedOffTooSlowlyIsCut) {
    QueueLimit limit(4 * kSize, kSize);
    GivenUpFiles files;
    for (uint64_t i = 0; files.empty() && i < 100; ++i) files = limit.look(segments(1 + i, 10 + 2 * i), kStart + i * 1s);
    EXPECT_EQ(files.segments, segments(11, 26)) << "after ten seconds, of 11 to 30";
}

TEST(QueueLimit, WhatStandsAheadGoesTooButHistoriesAreStoredLater) {
    QueueLimit limit(1 * kSize, kSize);
    Names waiting = segments(3, 5);
    waiting.insert(waiting.end(), {"00000002.history", to_string(WalSegmentName{1, 3}, kSize) + ".00000028.backup",
                                   to_string(WalSegmentName{1, 5}, kSize) + ".00000028.backup", to_string(WalSegmentName{1, 2}, kSize) + ".partial"});
    sort_for_archiving(waiting);
    limit.look(waiting, kStart);
    const GivenUpFiles files = limit.look(waiting, kStart + kPatience);
    EXPECT_EQ(files.segments, segments(3, 4));
    EXPECT_EQ(files.histories, Names{"00000002.history"});
    EXPECT_EQ(files.others, (Names{to_string(WalSegmentName{1, 2}, kSize) + ".partial", to_string(WalSegmentName{1, 3}, kSize) + ".00000028.backup"}));
}

TEST(QueueLimit, BelowOneSegmentLetsNoneWait) {
    QueueLimit limit(kSize - 1, kSize);
    limit.look(segments(3, 3), kStart);
    EXPECT_EQ(limit.look(segments(3, 3), kStart + kPatience).segments, segments(3, 3));
}

/// However the queue grew and shrank: nothing goes that the limit lets wait, and an outage leaves what the limit lets wait.
TEST(QueueLimit, BoundsEveryQueue) {
    std::mt19937 random(20261121);
    for (int round = 0; round < 200; ++round) {
        const uint64_t most = random() % 6;
        QueueLimit limit(most * kSize + 1, kSize);  // 0 would be none
        uint64_t first = 1, next = 1;
        for (int second = 0; second < 300; ++second) {
            next += random() % 4;
            if (random() % 3 == 0 && first < next) first += random() % (next - first + 1);
            const GivenUpFiles files = limit.look(segments(first, next - 1), kStart + second * 1s);
            EXPECT_TRUE(files.empty() || next - first > most);
            EXPECT_LE(files.segments.size() + std::min(most, next - first), next - first);
            first += files.segments.size();
        }
        // Nothing is stored any more: within the patience it is cut to the limit.
        for (int second = 300; second <= 300 + kPatience.count(); ++second)
            first += limit.look(segments(first, next - 1), kStart + second * 1s).segments.size();
        EXPECT_LE(next - first, most);
    }
}

}  // namespace
}  // namespace steward
