#include "core/postgres/wal_summary.h"

#include <gtest/gtest.h>

#include <random>

#include "postgres/wal_summary_writer.h"

namespace steward {
namespace {

RelationFile relation(uint32_t number, RelationFork fork = RelationFork::kMain) {
    return {.tablespace = kDefaultTablespace, .database = 5, .relation_number = number, .fork = fork};
}

TEST(WalSummaryName, IsTimelineBeginAndEnd) {
    const auto name = parse_wal_summary_name("0000000100000000020000280000000A02010000.summary");
    ASSERT_TRUE(name);
    EXPECT_EQ(*name, (WalSummaryName{1, Lsn{0x2000028}, Lsn{0xA02010000}}));
    EXPECT_EQ(to_string(*name), "0000000100000000020000280000000A02010000.summary");
}

TEST(WalSummaryName, RefusesEverythingElse) {
    for (const char* name : {"", "temp.summary", "0000000100000000020000280000000A02010000", "0000000100000000020000280000000A0201000.summary",
                             "0000000100000000020000280000000a02010000.summary", "0000000000000000020000280000000A02010000.summary",
                             "0000000100000000020000280000000002000028.summary"})
        EXPECT_FALSE(parse_wal_summary_name(name)) << name;
}

TEST(CoverWithSummaries, FollowsThemUpToTheFirstHole) {
    const std::vector<WalSummaryName> all = {{1, Lsn{300}, Lsn{400}}, {1, Lsn{100}, Lsn{200}}, {2, Lsn{200}, Lsn{300}}, {1, Lsn{200}, Lsn{250}}, {1, Lsn{240}, Lsn{260}}};
    const WalSummaryCover cover = cover_with_summaries(all, 1, Lsn{150}, Lsn{390});
    EXPECT_EQ(cover.reached, Lsn{260});
    ASSERT_EQ(cover.names.size(), 3u);
    EXPECT_EQ(cover.names[0].begin, Lsn{100});
    EXPECT_EQ(cover_with_summaries(all, 1, Lsn{150}, Lsn{250}).reached, Lsn{250});
    EXPECT_EQ(cover_with_summaries(all, 1, Lsn{50}, Lsn{250}).reached, Lsn{50});
    EXPECT_EQ(cover_with_summaries(all, 3, Lsn{150}, Lsn{250}).reached, Lsn{150});
}

TEST(ChangedBlocks, HoldsWhatTheServersWriterWrote) {
    std::mt19937 random(1);
    std::set<uint32_t> few, many;
    for (int i = 0; i < 100; ++i) few.insert(random() % 300000);
    for (int i = 0; i < 60000; ++i) many.insert(random() % 131072);
    WalSummaryWriter writer;
    for (const uint32_t block : few) writer.touch(relation(1), block);
    for (const uint32_t block : many) writer.touch(relation(2, RelationFork::kInit), block);
    writer.limit(relation(3), 7);
    ChangedBlocks changes;
    ASSERT_TRUE(changes.add(writer.content()).ok());

    ASSERT_NE(changes.find(relation(1)), nullptr);
    EXPECT_EQ(changes.find(relation(1))->blocks, std::vector(few.begin(), few.end()));
    EXPECT_EQ(changes.find(relation(1))->limit, std::nullopt);
    EXPECT_EQ(changes.find(relation(2, RelationFork::kInit))->blocks, std::vector(many.begin(), many.end()));
    EXPECT_EQ(changes.find(relation(2)), nullptr);
    EXPECT_EQ(changes.find(relation(3))->limit, 7u);
    EXPECT_FALSE(changes.is_database_new(kDefaultTablespace, 5));
}

TEST(ChangedBlocks, AddsUpOverSummaries) {
    WalSummaryWriter first, second;
    first.touch(relation(1), 9);
    first.limit(relation(1), 20);
    second.touch(relation(1), 3);
    second.touch(relation(1), 9);
    second.limit(relation(1), 10);
    second.new_database(kDefaultTablespace, 77);
    ChangedBlocks changes;
    ASSERT_TRUE(changes.add(first.content()).ok());
    ASSERT_TRUE(changes.add(second.content()).ok());
    EXPECT_EQ(changes.find(relation(1))->blocks, (std::vector<uint32_t>{3, 9}));
    EXPECT_EQ(changes.find(relation(1))->limit, 10u);
    EXPECT_TRUE(changes.is_database_new(kDefaultTablespace, 77));
}

TEST(ChangedBlocks, RefusesEveryDamagedByteAndEveryTruncation) {
    WalSummaryWriter writer;
    for (uint32_t block = 0; block < 50; ++block) writer.touch(relation(1), block * 3000);
    const Bytes whole = writer.content();
    for (size_t at = 0; at < whole.size(); ++at) {
        Bytes damaged = whole;
        damaged[at] ^= std::byte{1};
        const auto added = ChangedBlocks().add(damaged);
        ASSERT_FALSE(added.ok()) << at;
        EXPECT_EQ(added.error().code(), ErrorCode::corrupt_object);
        EXPECT_FALSE(ChangedBlocks().add(ByteView(whole).first(at)).ok()) << at;
    }
}

TEST(ChangedBlocks, SurvivesSealedNonsense) {
    std::mt19937 random(2);
    for (int round = 0; round < 2000; ++round) {
        WalSummaryWriter writer;
        writer.touch(relation(1), random() % 100000);
        writer.limit(relation(2), 5);
        Bytes bytes = writer.content();
        for (int change = 0; change < 3; ++change) bytes[4 + random() % (bytes.size() - 8)] = std::byte(random());
        store_le(bytes.data() + bytes.size() - 4, crc32c(ByteView(bytes).first(bytes.size() - 4)));
        static_cast<void>(ChangedBlocks().add(bytes).ok());
    }
}

}  // namespace
}  // namespace steward
