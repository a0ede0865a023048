#include "core/postgres/relation_map.h"

#include <gtest/gtest.h>

#include "core/base/file.h"
#include "core/base/format.h"
#include "postgres/database_pages.h"
#include "postgres/real_server.h"

namespace steward {
namespace {

TEST(RelationMap, IsReadInTheLayoutOfEveryMajor) {
    for (const size_t size : {size_t{512}, size_t{524}}) {
        const auto map = parse_relation_map(make_relation_map({{1260, 1260}, {1262, 16390}}, size));
        ASSERT_TRUE(map.ok()) << map.error().to_string();
        EXPECT_EQ(map->size(), 2u);
        EXPECT_EQ(mapped_relation_number(*map, kDatabaseCatalog), 16390u);
        EXPECT_EQ(mapped_relation_number(*map, 1259), std::nullopt);
    }
}

TEST(RelationMap, MayHaveEverySlotInUse) {
    std::vector<std::pair<uint32_t, uint32_t>> mappings;
    for (uint32_t i = 0; i < 64; ++i) mappings.emplace_back(1000 + i, 2000 + i);
    const auto map = parse_relation_map(make_relation_map(mappings, 524));
    ASSERT_TRUE(map.ok());
    EXPECT_EQ(mapped_relation_number(*map, 1063), 2063u);
}

TEST(RelationMap, IsRefusedWhenDamagedAnywhere) {
    for (const size_t size : {size_t{512}, size_t{524}}) {
        const Bytes good = make_relation_map({{1262, 1262}}, size);
        const size_t checked = size == 512 ? 508 : 524;
        for (size_t at = 0; at < checked; ++at) {
            Bytes bad = good;
            bad[at] ^= std::byte{0x20};
            const auto map = parse_relation_map(bad);
            ASSERT_FALSE(map.ok()) << at;
            EXPECT_EQ(map.error().code(), ErrorCode::corrupt_object);
        }
        for (size_t length = 0; length < checked; ++length) EXPECT_FALSE(parse_relation_map(ByteView(good).first(length)).ok()) << length;
    }
}

TEST(RelationMap, IsRefusedWithMoreMappingsThanSlots) {
    Bytes map = make_relation_map({{1262, 1262}}, 512);
    store_le<uint32_t>(map.data() + 4, 63);
    store_le<uint32_t>(map.data() + 504, crc32c(ByteView(map).first(504)));
    const auto parsed = parse_relation_map(map);
    ASSERT_FALSE(parsed.ok());
    EXPECT_EQ(parsed.error().detail(), "It has 63 mappings in 62 slots.");
}

TEST(RelationMapOfARealServer, KnowsTheFileOfADatabaseCatalogThatWasRewritten) {
    const auto servers = installed_servers();
    REQUIRE_REAL_SERVERS(servers);
    for (const auto& installed : servers) {
        RealServer server(installed);
        server.start();
        for (int round = 0; round < 2; ++round) {
            const auto content = read_file(server.data() / "global/pg_filenode.map");
            ASSERT_TRUE(content.ok());
            const auto map = parse_relation_map(*content);
            ASSERT_TRUE(map.ok()) << map.error().to_string();
            const auto number = mapped_relation_number(*map, kDatabaseCatalog);
            ASSERT_TRUE(number.has_value());
            EXPECT_EQ(formatted("global/{}", *number), server.sql("SELECT pg_relation_filepath('pg_database')"));
            EXPECT_EQ(*number == kDatabaseCatalog, round == 0);
            server.sql("VACUUM FULL pg_database");
        }
    }
}

}  // namespace
}  // namespace steward
