#include "core/postgres/database_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/heap_page.h"
#include "postgres/database_pages.h"
#include "postgres/real_server.h"

namespace steward {
namespace {

/// "16385 a|b, 16386 c"
std::string text_of(const std::vector<ListedDatabase>& databases) {
    std::string text;
    for (const ListedDatabase& database : databases) {
        text += formatted("{}{}", text.empty() ? "" : ", ", database.oid);
        for (size_t i = 0; i < database.names.size(); ++i) text += (i == 0 ? " " : "|") + database.names[i];
    }
    return text;
}

std::string list(const std::vector<DatabaseRow>& rows) { return text_of(list_databases(make_database_page(rows))); }

constexpr uint16_t kAlive = kMadeXminCommitted | kMadeXmaxAborted;

TEST(DatabaseList, HasEveryRowInOrderOfOid) {
    const std::string longest(63, 'n');
    EXPECT_EQ(list({{16385, "shop"}, {5, "postgres"}, {16384, longest}, {16390, "wei\"rd \xC3\xBC"}}),
              "5 postgres, 16384 " + longest + ", 16385 shop, 16390 wei\"rd \xC3\xBC");
}

TEST(DatabaseList, GoesOverAllPages) {
    Bytes pages = make_database_page({{1, "template1"}});
    for (const Bytes& more : {Bytes(kPageSize, std::byte{0}), make_database_page({{16385, "a"}})}) pages.insert(pages.end(), more.begin(), more.end());
    EXPECT_EQ(text_of(list_databases(pages)), "1 template1, 16385 a");
    pages.resize(pages.size() - 1);
    EXPECT_EQ(text_of(list_databases(pages)), "1 template1");
}

TEST(DatabaseList, PassesOverWhatIsKnownToBeGone) {
    EXPECT_EQ(list({{16385, "never", 700, 0, kMadeXminAborted | kMadeXmaxAborted},
                    {16386, "dropped", 700, 701, kMadeXminCommitted | kMadeXmaxCommitted},
                    {16387, "alive", 700, 0, kAlive},
                    {16388, "pruned", 700, 0, kAlive, 3}}),
              "16387 alive");
}

TEST(DatabaseList, KeepsRowsThatWereOnlyLockedOrWhoseDropWasRolledBack) {
    EXPECT_EQ(list({{16385, "locked", 700, 701, kMadeXminCommitted | kMadeXmaxLocks},
                    {16386, "locked by a group", 700, 9, kMadeXminCommitted | kMadeXmaxLocks | kMadeXmaxGroup},
                    {16387, "locked and ended", 700, 701, kMadeXminCommitted | kMadeXmaxLocks | kMadeXmaxCommitted},
                    {16388, "rolled back", 700, 701, kAlive},
                    {16389, "updated by a group", 700, 9, kMadeXminCommitted | kMadeXmaxGroup}}),
              "16385 locked, 16386 locked by a group, 16387 locked and ended, 16388 rolled back, 16389 updated by a group");
}

TEST(DatabaseList, HasBothNamesOfARenameThatIsOpenTheNewOneFirst) {
    EXPECT_EQ(list({{16385, "before", 700, 710, kMadeXminCommitted}, {16385, "after", 710, 0, kMadeXmaxAborted}}), "16385 after|before");
}

TEST(DatabaseList, LearnsFromOneRowThatAnothersTransactionCommitted) {
    EXPECT_EQ(list({{16385, "before", 700, 710, kMadeXminCommitted}, {16385, "after", 710, 0, kAlive}}), "16385 after");
    EXPECT_EQ(list({{16385, "before", 700, 710, kMadeXminCommitted}, {16386, "x", 700, 710, kMadeXminCommitted | kMadeXmaxCommitted}}), "");
    // The number of a frozen transaction is used again.
    EXPECT_EQ(list({{16385, "before", 700, 710, kMadeXminCommitted}, {16386, "x", 710}}), "16385 before, 16386 x");
    // Nor does a transaction commit because a group has its number.
    EXPECT_EQ(list({{16385, "a", 700, 710, kMadeXminCommitted}, {16386, "x", 700, 710, kMadeXminCommitted | kMadeXmaxGroup | kMadeXmaxCommitted}}),
              "16385 a, 16386 x");
}

TEST(DatabaseList, HasOneNameForSeveralDatabases) {
    EXPECT_EQ(list({{16385, "shop", 700, 710, kMadeXminCommitted}, {16386, "shop", 711, 0, kMadeXmaxAborted}}), "16385 shop, 16386 shop");
}

TEST(DatabaseList, PassesOverRowsWithoutOidOrName) {
    EXPECT_EQ(list({{0, "x"}, {16385, ""}, {16386, "good"}}), "16386 good");
}

TEST(HeapPage, HasNoTuplesThatReachBeyondIt) {
    const Bytes good = make_database_page({{16385, "a"}, {16386, "b"}});
    ASSERT_EQ(heap_tuples(good).size(), 2u);
    const auto with_pointer = [&](uint32_t offset, uint32_t length) {
        Bytes page = good;
        store_le<uint32_t>(page.data() + kPageHeaderSize, offset | 1u << 15 | length << 17);
        return heap_tuples(page).size();
    };
    EXPECT_EQ(with_pointer(8000, 193), 1u);
    EXPECT_EQ(with_pointer(8192, 160), 1u);
    EXPECT_EQ(with_pointer(0x7FFF, 0x7FFF), 1u);
    EXPECT_EQ(with_pointer(8, 160), 1u) << "in the page's header";
    EXPECT_EQ(with_pointer(8000, 22), 1u) << "shorter than a tuple's header";
    Bytes page = good;
    page[kPageSize - 160 + 22] = std::byte{161};
    EXPECT_EQ(heap_tuples(page).size(), 1u) << "a header longer than the tuple";
    EXPECT_TRUE(heap_tuples(ByteView(good).first(kPageSize - 1)).empty());
    EXPECT_TRUE(heap_tuples({}).empty());
}

TEST(DatabaseList, SurvivesTruncatedPages) {
    const Bytes good = make_database_page({{16385, "a"}, {16386, "b"}});
    for (size_t length = 0; length < good.size(); length += 7) {
        // An allocation of its own: a step beyond its end is seen.
        Bytes cut(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(length));
        EXPECT_TRUE(list_databases(cut).empty());
    }
}

TEST(DatabaseList, SurvivesDamagedPages) {
    std::mt19937 random(1262);
    std::vector<DatabaseRow> rows;
    for (uint32_t i = 0; i < 20; ++i) rows.push_back({16384 + i, formatted("database {}", i), 700 + i});
    const Bytes good = make_database_page(rows);
    size_t found = 0;
    for (int round = 0; round < 20'000; ++round) {
        Bytes page = good;
        // Mostly where pointers and tuple headers are.
        for (unsigned i = 0, count = 1 + random() % 20; i < count; ++i)
            page[random() % 3 == 0 ? random() % kPageSize : random() % 2 == 0 ? random() % 120 : kPageSize - 1 - random() % 3500] = static_cast<std::byte>(random());
        for (const ListedDatabase& database : list_databases(page)) {
            ++found;
            ASSERT_NE(database.oid, 0u);
            ASSERT_FALSE(database.names.empty());
            for (const std::string& name : database.names) ASSERT_TRUE(!name.empty() && name.size() <= 64);
        }
    }
    EXPECT_GT(found, 20'000u) << "most of the damage leaves most rows as they are";
}

TEST(DatabaseListOfARealServer, IsWhatTheServerSays) {
    const auto servers = installed_servers();
    REQUIRE_REAL_SERVERS(servers);
    for (const auto& installed : servers) {
        RealServer server(installed);
        server.start("-c autovacuum=off");
        for (int i = 0; i < 4; ++i) server.sql(formatted("CREATE DATABASE d{}", i));
        server.sql("ALTER DATABASE d0 RENAME TO renamed");
        server.sql("DROP DATABASE d1");
        server.sql("ALTER DATABASE d2 CONNECTION LIMIT 7");
        server.sql("CREATE DATABASE \\\"d1\\\"");
        const std::string expected = server.sql("SELECT string_agg(oid || ' ' || datname, ', ' ORDER BY oid) FROM pg_database");
        const std::string file = server.sql("SELECT pg_relation_filepath('pg_database')");
        server.sql("CHECKPOINT");
        const auto content = read_file(server.data() / file);
        ASSERT_TRUE(content.ok());
        EXPECT_EQ(text_of(list_databases(*content)), expected) << "PostgreSQL " << server.major();
        server.stop();
        server.start();
        server.sql("VACUUM FREEZE pg_database");
        server.sql("CHECKPOINT");
        EXPECT_EQ(text_of(list_databases(read_file(server.data() / file).value())), expected) << "frozen";
    }
}

}  // namespace
}  // namespace steward
