#include "core/repository/succession.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "base/temporary_directory.h"
#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/postgres/wal_name.h"
#include "repository/memory_repository.h"

namespace steward {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr uint32_t kSize = 1024 * 1024;
constexpr Identity kOld{7100000000000000015, 15, kSize}, kNew{7100000000000000018, 18, kSize}, kNewer{7100000000000000019, 19, kSize};
const TimePoint kNoon(std::chrono::seconds(1'790'500'000));

Predecessor the(const Identity& identity) { return {identity.system_identifier, identity.major}; }

Result<Repository> claim(MemoryStore& store, const Identity& mine, const std::vector<Predecessor>& predecessors) {
    return Repository::open_or_claim(store.view(), "main", mine, store.clock, predecessors);
}

std::vector<uint64_t> former(MemoryStore& store) {
    std::vector<uint64_t> identifiers;
    const Result<std::vector<Identity>> systems = list_former_systems(store.memory, "main");
    for (const Identity& identity : *systems) identifiers.push_back(identity.system_identifier);
    return identifiers;
}

/// An object of the old cluster; its content is nobody's.
void put_old(MemoryStore& store, const std::string& key) { store.overwrite(key, as_bytes("123")); }

std::string wal_of(TimelineId timeline, uint64_t segment) {
    return Layout("main", kOld.system_identifier).wal(to_string(WalSegmentName{timeline, segment}, kSize));
}

TEST(Succession, IsReadAsItWasWritten) {
    const TemporaryDirectory data;
    EXPECT_EQ(*read_succession(data.path()), std::nullopt);
    const Succession mark{kNew.system_identifier, 18, kNoon, {{kOld.system_identifier, 15, 2, {0x3000028}}, {5, 13, 0, {}}}};
    ASSERT_TRUE(write_succession(data.path(), mark).ok());
    EXPECT_EQ(*read_succession(data.path()), mark);
    const Succession later = succeed({42, 17}, {}, kNew.system_identifier, 18, kNoon);
    ASSERT_TRUE(write_succession(data.path(), later).ok());
    EXPECT_EQ(*read_succession(data.path()), later);
}

TEST(Succession, ThatMakesNoSenseIsAnError) {
    for (const char* text : {"", "[]", "{}", "no json", R"({"system_identifier":"7","time":"2026-01-01 00:00:00Z"})",
                             R"({"system_identifier":7,"time":"2026-01-01 00:00:00Z","predecessors":[]})",
                             R"({"system_identifier":"7","time":"never","predecessors":[]})",
                             R"({"system_identifier":"7","time":"2026-01-01 00:00:00Z","predecessors":[{"system_identifier":"0"}]})",
                             R"({"system_identifier":"7","time":"2026-01-01 00:00:00Z","predecessors":[{"system_identifier":"8x"}]})",
                             R"({"system_identifier":"7","time":"2026-01-01 00:00:00Z","predecessors":[{"system_identifier":"8","end":"0/1"}]})"}) {
        EXPECT_EQ(parse_succession(text).error().code(), ErrorCode::corrupt_object) << text;
    }
}

TEST(Succession, SaysNothingInAnotherCluster) {
    const Succession mark = succeed(the(kOld), {}, kNew.system_identifier, 18, kNoon);
    EXPECT_THAT(predecessors_of(kNew.system_identifier, mark), ElementsAre(the(kOld)));
    EXPECT_THAT(predecessors_of(kNewer.system_identifier, mark), IsEmpty());
    EXPECT_THAT(predecessors_of(kNew.system_identifier, std::nullopt), IsEmpty());
}

TEST(Succession, InheritsThePredecessorsOfItsPredecessor) {
    const Succession first = succeed(the(kOld), {}, kNew.system_identifier, 18, kNoon);
    const Succession second = succeed(the(kNew), first, kNewer.system_identifier, 19, kNoon);
    EXPECT_THAT(second.predecessors, ElementsAre(the(kNew), the(kOld)));
    // Taken back: the one before last goes on again.
    const Succession back = succeed(the(kNewer), second, kNew.system_identifier, 18, kNoon);
    EXPECT_THAT(back.predecessors, ElementsAre(the(kNewer), the(kOld))) << "neither twice nor itself";
    // A mark that was copied there has nothing to hand down.
    EXPECT_THAT(succeed(the(kNew), second, 99, 19, kNoon).predecessors, ElementsAre(the(kNew)));
}

TEST(Claiming, ASuccessorTakesTheNameOver) {
    MemoryStore store;
    store.claim(kOld);
    const auto claimed = claim(store, kNew, {the(kOld)});
    ASSERT_TRUE(claimed.ok()) << claimed.error().to_string();
    EXPECT_EQ(claimed->identity().system_identifier, kNew.system_identifier);
    EXPECT_EQ(claimed->identity().predecessor, kOld.system_identifier);
    EXPECT_EQ(claimed->layout().prefix(), Layout("main", kNew.system_identifier).prefix());
    EXPECT_EQ(Repository::open(store.view(), "main")->identity().major, 18) << "for those who read, too";
    EXPECT_TRUE(claim(store, kNew, {the(kOld)}).ok()) << "and once: it is its own from then on";
    EXPECT_EQ(store.memory.list("identity/")->objects.size(), 2u);
}

TEST(Claiming, AFirstClaimHasNoPredecessorWhateverTheMarkSays) {
    MemoryStore store;
    const auto claimed = claim(store, kNew, {the(kOld)});
    ASSERT_TRUE(claimed.ok());
    EXPECT_EQ(claimed->identity().predecessor, 0u);
    EXPECT_THAT(former(store), IsEmpty());
}

TEST(Claiming, AnEarlierPredecessorCountsWhereTheLastOneNeverCame) {
    MemoryStore store;
    store.claim(kOld);
    ASSERT_TRUE(claim(store, kNewer, {the(kNew), the(kOld)}).ok());
    EXPECT_THAT(former(store), ElementsAre(kOld.system_identifier));
}

TEST(Claiming, AnotherClustersSuccessorIsRefused) {
    MemoryStore store;
    store.claim(kOld);
    const auto refused = claim(store, kNewer, {the(kNew)});
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::foreign_repository);
    EXPECT_THAT(refused.error().hint(), HasSubstr(formatted("pg_steward succeed --predecessor {}", kOld.system_identifier)));
    EXPECT_EQ(Repository::open(store.view(), "main")->identity().system_identifier, kOld.system_identifier);
}

TEST(Claiming, ThePredecessorIsRefusedAfterwards) {
    MemoryStore store;
    store.claim(kOld);
    ASSERT_TRUE(claim(store, kNew, {the(kOld)}).ok());
    EXPECT_EQ(claim(store, kOld, {}).error().code(), ErrorCode::foreign_repository);
}

TEST(Claiming, APredecessorTakesTheNameBackWhenItGoesOnInTurn) {
    MemoryStore store;
    store.claim(kOld);
    ASSERT_TRUE(claim(store, kNew, {the(kOld)}).ok());
    const auto back = claim(store, kOld, {the(kNew)});
    ASSERT_TRUE(back.ok()) << back.error().to_string();
    EXPECT_EQ(back->identity().predecessor, kNew.system_identifier);
    EXPECT_THAT(former(store), ElementsAre(kNew.system_identifier)) << "not itself";
    EXPECT_EQ(claim(store, kNew, {the(kOld)})->identity().system_identifier, kNew.system_identifier) << "and so on";
    EXPECT_EQ(store.memory.list("identity/")->objects.size(), 4u);
}

TEST(Claiming, OfManySuccessorsAtOnceExactlyOneWins) {
    constexpr int kServers = 8;
    MemoryStore store;
    store.claim(kOld);
    std::atomic<int> winners = 0, refused = 0;
    std::barrier together(kServers);
    {
        std::vector<std::jthread> servers;
        for (int i = 0; i < kServers; ++i)
            servers.emplace_back([&, i] {
                const Identity mine{static_cast<uint64_t>(i + 1), 18, kSize};
                const std::vector<Predecessor> predecessors = {the(kOld)};
                std::unique_ptr<Storage> view = store.view();
                together.arrive_and_wait();
                const auto claimed = Repository::open_or_claim(std::move(view), "main", mine, store.clock, predecessors);
                if (claimed.ok())
                    winners++;
                else if (claimed.error().code() == ErrorCode::foreign_repository)
                    refused++;
            });
    }
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(refused, kServers - 1);
    EXPECT_EQ(store.memory.list("identity/")->objects.size(), 2u);
}

TEST(Claiming, TheNameOfAClusterThatGoesOnIsNotTaken) {
    const Predecessor ended{kOld.system_identifier, 15, 2, {5 * kSize + 200}};
    const Layout layout("main", kOld.system_identifier);
    const std::string fifth = to_string(WalSegmentName{2, 5}, kSize);
    struct Row {
        std::string key;
        bool taken;
    };
    const Row rows[] = {
        {wal_of(2, 5), true},  // the one with the end in it
        {wal_of(2, 6), false},
        {wal_of(3, 6), false},
        {wal_of(1, 9), true},  // that timeline had been left before
        {layout.wal_tail(fifth, 0, 200), true},
        {layout.wal_tail(fifth, 0, 300), false},
        {layout.wal("00000003.history"), true},
        {layout.wal(fifth + ".partial"), true},
    };
    for (const Row& row : rows) {
        MemoryStore store;
        store.claim(kOld);
        put_old(store, row.key);
        const auto claimed = claim(store, kNew, {ended});
        EXPECT_EQ(claimed.ok(), row.taken) << row.key;
        EXPECT_TRUE(claim(store, kNew, {the(kOld)}).ok()) << "without an end nothing is proven";
        if (claimed.ok()) continue;
        EXPECT_EQ(claimed.error().code(), ErrorCode::foreign_repository);
        EXPECT_THAT(claimed.error().detail(), HasSubstr("and it ended at 0/5000C8 when it was upgraded"));
        EXPECT_FALSE(claimed.error().retryable());
    }
}

TEST(Claiming, ADamagedIdentityInForceIsNoReasonToTakeTheName) {
    MemoryStore store;
    store.claim(kOld);
    store.damage(Layout::identity("main", 1), 200);
    EXPECT_EQ(claim(store, kNew, {the(kOld)}).error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(store.memory.list("identity/")->objects.size(), 1u);
}

TEST(FormerSystems, AreOpenedByTheirIdentifier) {
    MemoryStore store;
    store.claim(kOld);
    ASSERT_TRUE(claim(store, kNew, {the(kOld)}).ok());
    const auto opened = Repository::open(store.view(), "main", kOld.system_identifier);
    ASSERT_TRUE(opened.ok());
    EXPECT_EQ(opened->identity().major, 15);
    EXPECT_EQ(opened->layout().prefix(), Layout("main", kOld.system_identifier).prefix());
    EXPECT_EQ(Repository::open(store.view(), "main", kNew.system_identifier)->identity().major, 18);

    const auto unknown = Repository::open(store.view(), "main", 42);
    ASSERT_FALSE(unknown.ok());
    EXPECT_EQ(unknown.error().code(), ErrorCode::not_found);
    EXPECT_EQ(unknown.error().hint(), "Under this name it has 7100000000000000018 (PostgreSQL 18), 7100000000000000015 (PostgreSQL 15).");
}

TEST(FormerSystems, ADamagedIdentityHidesNoOther) {
    MemoryStore store;
    store.claim(kOld);
    ASSERT_TRUE(claim(store, kNew, {the(kOld)}).ok());
    ASSERT_TRUE(claim(store, kNewer, {the(kNew)}).ok());
    store.damage(Layout::identity("main", 2), 200);
    EXPECT_THAT(former(store), ElementsAre(kOld.system_identifier));
    EXPECT_TRUE(Repository::open(store.view(), "main", kOld.system_identifier).ok());
    EXPECT_TRUE(Repository::open(store.view(), "main").ok());
}

}  // namespace
}  // namespace steward
