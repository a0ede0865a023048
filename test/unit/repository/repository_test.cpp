#include "core/repository/repository.h"

#include <gtest/gtest.h>

#include <atomic>
#include <barrier>
#include <thread>
#include <vector>

#include "repository/memory_repository.h"

namespace steward {
namespace {

constexpr Compression kPlain{Codec::kNone, 0};
constexpr const char* kSegment = "000000010000000000000003";

BuiltObject wal_of(std::string_view content, Compression compression = kPlain) {
    return build_object(ObjectKind::kWalSegment, kTestIdentity.system_identifier, as_bytes(content), compression);
}

TEST(Repository, RemembersWhoClaimedIt) {
    MemoryStore store;
    store.claim(kTestIdentity);
    const auto opened = Repository::open(store.view(), "main");
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    EXPECT_EQ(opened->identity().system_identifier, kTestIdentity.system_identifier);
    EXPECT_EQ(opened->identity().major, 17);
    EXPECT_EQ(opened->identity().wal_segment_size, 1024u * 1024);
    EXPECT_EQ(opened->cluster(), "main");
}

TEST(Repository, OfManyClaimsAtOnceExactlyOneWins) {
    constexpr int kServers = 8;
    MemoryStore store;
    std::atomic<int> winners = 0, refused = 0;
    std::barrier together(kServers);
    {
        std::vector<std::jthread> servers;
        for (int i = 0; i < kServers; ++i)
            servers.emplace_back([&, i] {
                const Identity mine{static_cast<uint64_t>(i + 1), 17, 1024 * 1024};
                std::unique_ptr<Storage> view = store.view();
                together.arrive_and_wait();
                const auto claimed = Repository::open_or_claim(std::move(view), "main", mine, store.clock);
                if (claimed.ok())
                    winners++;
                else if (claimed.error().code() == ErrorCode::foreign_repository)
                    refused++;
            });
    }
    EXPECT_EQ(winners, 1);
    EXPECT_EQ(refused, kServers - 1);
}

TEST(Repository, IsClaimedTwiceByTheSameServer) {
    MemoryStore store;
    store.claim(kTestIdentity);
    EXPECT_TRUE(Repository::open_or_claim(store.view(), "main", kTestIdentity, store.clock).ok());
    EXPECT_EQ(store.memory.list("identity/")->objects.size(), 1u);
}

TEST(Repository, RefusesAnotherServerNamingBoth) {
    MemoryStore store;
    store.claim(kTestIdentity);
    const auto other = Repository::open_or_claim(store.view(), "main", {42, 17, 1024 * 1024}, store.clock);
    ASSERT_FALSE(other.ok());
    EXPECT_EQ(other.error().code(), ErrorCode::foreign_repository);
    EXPECT_EQ(other.error().message(), "repository \"memory:\" holds another database cluster as \"main\"");
    EXPECT_EQ(other.error().detail(), "The repository's system identifier is 7300000000000000001, this server's is 42.");
    EXPECT_FALSE(other.error().hint().empty());
}

TEST(Repository, KeepsSeveralClusters) {
    MemoryStore store;
    store.claim(kTestIdentity, "main");
    store.claim({42, 16, 16 * 1024 * 1024}, "other");
    EXPECT_EQ(*list_clusters(store.memory), (std::vector<std::string>{"main", "other"}));
    EXPECT_EQ(Repository::open(store.view(), "other")->identity().system_identifier, 42u);
}

TEST(Repository, TheHighestIdentityIsInForce) {
    MemoryStore store;
    store.claim(kTestIdentity);
    MemoryStore upgraded;
    upgraded.claim({43, 18, 1024 * 1024});
    store.overwrite(Layout::identity("main", 2), *upgraded.memory.read(Layout::identity("main", 1), 0, 10000));
    EXPECT_EQ(Repository::open(store.view(), "main")->identity().system_identifier, 43u);
    EXPECT_EQ(*list_clusters(store.memory), std::vector<std::string>{"main"});
}

TEST(Repository, ListsWhatIsThereWhenTheClusterIsUnknown) {
    MemoryStore store;
    const auto empty = Repository::open(store.view(), "main");
    EXPECT_EQ(empty.error().code(), ErrorCode::not_found);
    EXPECT_NE(empty.error().hint().find("The repository is empty"), std::string::npos);

    store.claim(kTestIdentity, "alpha");
    store.claim(kTestIdentity, "beta");
    const auto unknown = Repository::open(store.view(), "main");
    EXPECT_EQ(unknown.error().code(), ErrorCode::not_found);
    EXPECT_EQ(unknown.error().message(), "repository \"memory:\" holds no cluster \"main\"");
    EXPECT_EQ(unknown.error().hint(), "Choose one of these with --cluster: alpha, beta.");
}

TEST(Repository, RefusesDamagedIdentities) {
    MemoryStore store;
    store.claim(kTestIdentity);
    store.damage(Layout::identity("main", 1), 200);
    EXPECT_EQ(Repository::open(store.view(), "main").error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(Repository::open_or_claim(store.view(), "main", kTestIdentity, store.clock).error().code(), ErrorCode::corrupt_object);
}

TEST(Repository, RefusesIdentitiesThatMakeNoSense) {
    for (const char* text : {"", "[]", "{}", "no json", R"({"system_identifier": 5, "postgresql_major": 17, "wal_segment_size": 1048576})",
                             R"({"system_identifier": "5x", "postgresql_major": 17, "wal_segment_size": 1048576})",
                             R"({"system_identifier": "5", "postgresql_major": "17", "wal_segment_size": 1048576})",
                             R"({"system_identifier": "5", "postgresql_major": 17, "wal_segment_size": 0})",
                             R"({"system_identifier": "5", "postgresql_major": 17, "wal_segment_size": 1000000})",
                             R"({"system_identifier": "5", "postgresql_major": 17, "wal_segment_size": 4295016448})",
                             R"({"system_identifier": "5", "postgresql_major": 4294967313, "wal_segment_size": 1048576})"}) {
        MemoryStore store;
        const BuiltObject identity = build_object(ObjectKind::kIdentity, 0, as_bytes(text), kPlain);
        ASSERT_TRUE(store.memory.put(Layout::identity("main", 1), identity.parts(), PutMode::kIfAbsent).ok());
        const auto opened = Repository::open(store.view(), "main");
        ASSERT_FALSE(opened.ok()) << text;
        EXPECT_EQ(opened.error().code(), ErrorCode::corrupt_object) << text;
    }
}

TEST(Store, RecognisesEqualContentWhateverTheCompression) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    const std::string key = repository.layout().wal(kSegment), content(1000, 'x');
    EXPECT_EQ(*repository.store(key, wal_of(content), ObjectKind::kWalSegment), StoreOutcome::kStored);
    EXPECT_EQ(*repository.store(key, wal_of(content, {Codec::kZstd, 9}), ObjectKind::kWalSegment), StoreOutcome::kAlreadyStored);
    EXPECT_EQ(as_text(*repository.load(key, ObjectKind::kWalSegment)), content);
}

TEST(Store, RefusesOtherContentAndOverwritesNothing) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    const std::string key = repository.layout().wal(kSegment);
    const BuiltObject first = wal_of("first"), second = wal_of("second");
    ASSERT_TRUE(repository.store(key, first, ObjectKind::kWalSegment).ok());
    const auto outcome = repository.store(key, second, ObjectKind::kWalSegment);
    ASSERT_FALSE(outcome.ok());
    EXPECT_EQ(outcome.error().code(), ErrorCode::content_conflict);
    EXPECT_EQ(outcome.error().object(), key);
    EXPECT_NE(outcome.error().detail().find(to_string(first.content_digest)), std::string::npos);
    EXPECT_NE(outcome.error().detail().find(to_string(second.content_digest)), std::string::npos);
    EXPECT_EQ(as_text(*repository.load(key, ObjectKind::kWalSegment)), "first");
}

TEST(Store, SaysWhenWhatIsThereIsDamaged) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    const std::string key = repository.layout().wal(kSegment);
    const BuiltObject object = wal_of("content");
    ASSERT_TRUE(repository.store(key, object, ObjectKind::kWalSegment).ok());
    store.damage(key, 60);
    EXPECT_EQ(repository.store(key, object, ObjectKind::kWalSegment).error().code(), ErrorCode::corrupt_object);

    store.overwrite(key, object.head);  // the payload never arrived
    EXPECT_EQ(repository.store(key, object, ObjectKind::kWalSegment).error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(repository.look_up(key, object.content_digest, ObjectKind::kWalSegment).error().detail(), "It has 148 bytes instead of 155.");

    store.overwrite(key, {});
    EXPECT_EQ(repository.store(key, object, ObjectKind::kWalSegment).error().code(), ErrorCode::corrupt_object);
}

TEST(Store, LooksUpWithoutReadingTheContent) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    const std::string key = repository.layout().wal(kSegment);
    const BuiltObject object = wal_of("content");
    EXPECT_FALSE(repository.look_up(key, object.content_digest, ObjectKind::kWalSegment)->has_value());
    ASSERT_TRUE(repository.store(key, object, ObjectKind::kWalSegment).ok());
    EXPECT_EQ(**repository.look_up(key, object.content_digest, ObjectKind::kWalSegment), StoreOutcome::kAlreadyStored);
    EXPECT_EQ(repository.look_up(key, wal_of("other").content_digest, ObjectKind::kWalSegment).error().code(), ErrorCode::content_conflict);
}

TEST(Store, ReadsHeadsLargerThanTheFirstRead) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    const std::string key = repository.layout().pack("set", 1);
    const BuiltObject object =
        build_object(ObjectKind::kPack, kTestIdentity.system_identifier, Bytes(300 * size_t{kFrameSize}, std::byte{7}), {Codec::kZstd, 1});
    ASSERT_GT(object.head.size(), 4096u);
    ASSERT_TRUE(repository.store(key, object, ObjectKind::kPack).ok());
    EXPECT_EQ(repository.load_head(key, ObjectKind::kPack)->frames.size(), 300u);
}

TEST(Store, PassesTheStoresErrorsOn) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    store.faulty.fail_always(StorageOperation::kPut, Error(ErrorCode::no_space, "full"));
    EXPECT_EQ(repository.store(repository.layout().wal(kSegment), wal_of("x"), ObjectKind::kWalSegment).error().code(), ErrorCode::no_space);
}

TEST(Load, SaysWhichRepositoryItReadFrom) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    const std::string key = repository.layout().wal(kSegment);
    EXPECT_EQ(repository.load(key, ObjectKind::kWalSegment).error().code(), ErrorCode::not_found);
    ASSERT_TRUE(repository.store(key, wal_of("content"), ObjectKind::kWalSegment).ok());
    store.damage(key, 150);
    const auto loaded = repository.load(key, ObjectKind::kWalSegment);
    EXPECT_EQ(loaded.error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(loaded.error().context(), std::vector<std::string>{"while reading from repository \"memory:\""});
}

}  // namespace
}  // namespace steward
