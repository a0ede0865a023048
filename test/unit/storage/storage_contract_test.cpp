#include "storage/storage_contract_test.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <random>
#include <thread>

namespace steward {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StorageContract);

namespace {

using testing::ElementsAre;
using testing::IsEmpty;

const std::vector<std::string>& bad_keys() {
    static const std::vector<std::string> keys = {"",
                                                  "/",
                                                  "/a",
                                                  "a/",
                                                  "a//b",
                                                  ".",
                                                  "..",
                                                  "../a",
                                                  "a/../b",
                                                  "a/./b",
                                                  "a/..",
                                                  std::string("a\0b", 3),
                                                  "a\nb",
                                                  "a\x7f",
                                                  "a\xC2\x85",
                                                  "a\xFF",
                                                  "a\xC3",
                                                  "\xED\xA0\x80",
                                                  "\xC0\xAF",
                                                  "\xF4\x90\x80\x80",
                                                  ".pg_steward.tmp",
                                                  ".pg_steward.tmp/a",
                                                  "lost+found/a",
                                                  std::string(256, 'a'),
                                                  std::string(1001, 'a'),
                                                  std::string(500, 'a') + "/b"};
    return keys;
}

std::string long_key(size_t length) {
    std::string key;
    while (key.size() < length) key += key.size() % 200 == 150 ? '/' : 'k';
    return key;
}

TEST_P(StorageContract, ReturnsWhatWasPut) {
    ASSERT_EQ(*put("wal/1", "content"), PutOutcome::kCreated);
    EXPECT_EQ(content("wal/1"), "content");
}

TEST_P(StorageContract, HoldsEmptyObjects) {
    ASSERT_TRUE(storage_.put("empty", {}, PutMode::kIfAbsent).ok());
    ASSERT_TRUE(put("empty2", "").ok());
    EXPECT_EQ(content("empty"), "");
    EXPECT_EQ((*storage_.stat("empty2"))->size, 0u);
    EXPECT_THAT(keys(""), ElementsAre("empty", "empty2"));
}

TEST_P(StorageContract, JoinsManyPartsInOrder) {
    std::vector<std::string> texts;
    for (int i = 0; i < 3000; ++i) texts.push_back(i % 7 == 0 ? "" : std::to_string(i) + ";");
    std::vector<ByteView> parts;
    std::string whole;
    for (const std::string& text : texts) {
        parts.push_back(as_bytes(text));
        whole += text;
    }
    ASSERT_TRUE(storage_.put("parts", parts, PutMode::kIfAbsent).ok());
    EXPECT_EQ(content("parts"), whole);
}

TEST_P(StorageContract, HoldsTwentyMegabytes) {
    std::mt19937_64 random(1);
    std::string large(20u << 20, '\0');
    for (size_t i = 0; i + 8 <= large.size(); i += 8) store_le(reinterpret_cast<std::byte*>(large.data() + i), random());
    const ByteView all = as_bytes(large);
    const ByteView parts[] = {all.first(5'000'001), all.subspan(5'000'001)};
    ASSERT_TRUE(storage_.put("large", parts, PutMode::kIfAbsent).ok());
    EXPECT_TRUE(content("large") == large);
    EXPECT_EQ((*storage_.stat("large"))->size, large.size());
}

TEST_P(StorageContract, RefusesBadKeysEverywhere) {
    for (const std::string& key : bad_keys()) {
        SCOPED_TRACE(testing::PrintToString(key));
        EXPECT_EQ(put(key, "x", PutMode::kIfAbsent).error().code(), ErrorCode::invalid_argument);
        EXPECT_EQ(put(key, "x", PutMode::kReplace).error().code(), ErrorCode::invalid_argument);
        EXPECT_EQ(storage_.read(key, 0, 1).error().code(), ErrorCode::invalid_argument);
        EXPECT_EQ(storage_.stat(key).error().code(), ErrorCode::invalid_argument);
        EXPECT_EQ(storage_.remove(key).error().code(), ErrorCode::invalid_argument);
    }
    EXPECT_THAT(keys(""), IsEmpty());
}

TEST_P(StorageContract, HoldsOddKeys) {
    std::vector<std::string> odd = {"a b/c d",
                                    "a+b%20c",
                                    "100%",
                                    "who?x=1&y=#z",
                                    "\xC3\xA9t\xC3\xA9/\xE2\x82\xAC",
                                    "...",
                                    "..a/b..",
                                    "~",
                                    "\"quote\"",
                                    "back\\slash",
                                    "*[x]",
                                    "-rf",
                                    "x:y@z;,=",
                                    ".hidden",
                                    "\xF0\x9F\x90\x98",
                                    std::string(200, 's') + "/" + std::string(200, 't'),
                                    long_key(1000),
                                    "n/.pg_steward.tmp",
                                    std::string(255, 'm')};
    for (const std::string& key : odd) ASSERT_TRUE(put(key, "content of " + key).ok()) << key;
    for (const std::string& key : odd) {
        EXPECT_EQ(content(key), "content of " + key);
        EXPECT_EQ((*storage_.stat(key))->key, key);
        EXPECT_THAT(keys(key), ElementsAre(key));
    }
    std::sort(odd.begin(), odd.end());
    EXPECT_EQ(keys(""), odd);
}

TEST_P(StorageContract, KeepsTheFirstObjectWhenAskedForAbsence) {
    ASSERT_EQ(*put("k", "first"), PutOutcome::kCreated);
    EXPECT_EQ(*put("k", "second"), PutOutcome::kAlreadyExists);
    EXPECT_EQ(content("k"), "first");
}

TEST_P(StorageContract, ReplacesWholeObjects) {
    EXPECT_EQ(*put("k", "a longer first one", PutMode::kReplace), PutOutcome::kCreated);
    EXPECT_EQ(*put("k", "second", PutMode::kReplace), PutOutcome::kReplaced);
    EXPECT_EQ(content("k"), "second");
}

TEST_P(StorageContract, LetsExactlyOneOfManyWritersCreate) {
    if (!storage_.capabilities().atomic_if_absent) GTEST_SKIP() << "the driver does not promise it";
    for (int round = 0; round < 20; ++round) {
        const std::string key = "race/" + std::to_string(round) + "/k";
        std::atomic<int> created{0};
        std::atomic<int> existed{0};
        std::string winner;
        std::vector<std::jthread> writers;
        for (int i = 0; i < 8; ++i)
            writers.emplace_back([&, i] {
                const std::string mine(1000, static_cast<char>('a' + i));
                const auto outcome = put(key, mine);
                ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
                if (*outcome == PutOutcome::kCreated) {
                    ++created;
                    winner = mine;
                }
                if (*outcome == PutOutcome::kAlreadyExists) ++existed;
            });
        writers.clear();
        ASSERT_EQ(created, 1);
        ASSERT_EQ(existed, 7);
        ASSERT_EQ(content(key), winner);
    }
}

TEST_P(StorageContract, ShowsReadersTheOldObjectOrTheNewOne) {
    const std::string versions[] = {std::string(300'000, 'o'), std::string(500'000, 'n')};
    ASSERT_TRUE(put("k", versions[0], PutMode::kReplace).ok());
    std::atomic<int> torn{0};
    std::jthread reader([&](const std::stop_token& stop) {
        while (!stop.stop_requested()) {
            const std::string seen = content("k");
            if (seen != versions[0] && seen != versions[1]) ++torn;
        }
    });
    for (int i = 1; i <= 50; ++i) ASSERT_TRUE(put("k", versions[i % 2], PutMode::kReplace).ok());
    reader.request_stop();
    reader.join();
    EXPECT_EQ(torn, 0);
}

TEST_P(StorageContract, ReadsRanges) {
    ASSERT_TRUE(put("k", "0123456789").ok());
    const auto range = [&](uint64_t offset, uint64_t length) {
        return std::string(as_text(*storage_.read("k", offset, length)));
    };
    EXPECT_EQ(range(0, 10), "0123456789");
    EXPECT_EQ(range(3, 4), "3456");
    EXPECT_EQ(range(8, 10), "89");
    EXPECT_EQ(range(3, UINT64_MAX), "3456789");
    EXPECT_EQ(range(10, 1), "");
    EXPECT_EQ(range(UINT64_MAX, 1), "");
    EXPECT_EQ(range(3, 0), "");
}

TEST_P(StorageContract, SaysNotFoundOnReadAndNothingOnStat) {
    ASSERT_TRUE(put("a/b", "x").ok());
    for (const char* key : {"missing", "a/missing", "missing/b", "a"}) {
        const auto read = storage_.read(key, 0, 1);
        ASSERT_FALSE(read.ok()) << key;
        EXPECT_EQ(read.error().code(), ErrorCode::not_found);
        EXPECT_EQ(read.error().object(), key);
        const auto stat = storage_.stat(key);
        ASSERT_TRUE(stat.ok()) << stat.error().to_string();
        EXPECT_FALSE(stat->has_value()) << key;
    }
}

TEST_P(StorageContract, TellsSizeAndTimeOnStatAndList) {
    ASSERT_TRUE(put("d/k", "12345").ok());
    const ObjectInfo known = **storage_.stat("d/k");
    EXPECT_EQ(known.key, "d/k");
    EXPECT_EQ(known.size, 5u);
    EXPECT_GT(known.modified, TimePoint());
    const ListPage listed = *storage_.list("");
    ASSERT_EQ(listed.objects.size(), 1u);
    EXPECT_EQ(listed.objects[0].size, known.size);
    EXPECT_EQ(listed.objects[0].modified, known.modified);
    EXPECT_EQ(listed.next, "");
}

TEST_P(StorageContract, RefusesKeysThatRunThroughAnother) {
    if (!GetParam().refuses_nested_keys) GTEST_SKIP() << "the driver holds both";
    ASSERT_TRUE(put("a", "object").ok());
    ASSERT_TRUE(put("d/e/f", "object").ok());
    for (const PutMode mode : {PutMode::kIfAbsent, PutMode::kReplace})
        for (const char* key : {"a/b", "a/b/c", "d", "d/e"}) {
            const auto outcome = put(key, "x", mode);
            ASSERT_FALSE(outcome.ok()) << key;
            EXPECT_EQ(outcome.error().code(), ErrorCode::wrong_state) << outcome.error().to_string();
            EXPECT_EQ(outcome.error().object(), key);
        }
    EXPECT_EQ(storage_.read("a/b", 0, 1).error().code(), ErrorCode::wrong_state);
    EXPECT_EQ(storage_.stat("a/b").error().code(), ErrorCode::wrong_state);
    EXPECT_EQ(storage_.remove("a/b").error().code(), ErrorCode::wrong_state);
    EXPECT_TRUE(storage_.remove("d").ok());
    EXPECT_THAT(keys(""), ElementsAre("a", "d/e/f"));
}

TEST_P(StorageContract, ListsInByteOrderOfWholeKeys) {
    std::vector<std::string> all = {"a/b", "a-b", "a.b",  "a0",       "a/b-c", "a/c/d",  "a/c-d",
                                    "B",   "b",   "ab/c", "\xC3\xA4", "a!/z",  "a/0/0/0"};
    for (const std::string& key : all) ASSERT_TRUE(put(key, key).ok());
    std::sort(all.begin(), all.end());
    for (size_t limit : {1, 2, 3, 5, 12, 13, 14, 1000}) EXPECT_EQ(keys("", limit), all) << limit;
}

TEST_P(StorageContract, ListsByAnyPrefix) {
    for (const char* key : {"wal/1/a", "wal/1/b", "wal/12", "wal-old", "walrus/x", "x"}) ASSERT_TRUE(put(key, key).ok());
    for (size_t limit : {1, 2, 1000}) {
        EXPECT_THAT(keys("wal", limit), ElementsAre("wal-old", "wal/1/a", "wal/1/b", "wal/12", "walrus/x"));
        EXPECT_THAT(keys("wal/", limit), ElementsAre("wal/1/a", "wal/1/b", "wal/12"));
        EXPECT_THAT(keys("wal/1", limit), ElementsAre("wal/1/a", "wal/1/b", "wal/12"));
        EXPECT_THAT(keys("wal/1/", limit), ElementsAre("wal/1/a", "wal/1/b"));
        EXPECT_THAT(keys("wal/1/b", limit), ElementsAre("wal/1/b"));
    }
    for (const char* prefix : {"wal/2", "nothing/", "x/", "/", "../", "wal/../x", "./wal", "wal//", "\n"})
        EXPECT_THAT(keys(prefix), IsEmpty()) << prefix;
}

TEST_P(StorageContract, ListsPagesOfTheAskedSize) {
    for (int i = 0; i < 25; ++i) ASSERT_TRUE(put("d" + std::to_string(i % 3) + "/" + std::to_string(100 + i), "x").ok());
    const ListPage first = *storage_.list("", "", 10);
    EXPECT_EQ(first.objects.size(), 10u);
    ASSERT_FALSE(first.next.empty());
    const ListPage second = *storage_.list("", first.next, 15);
    EXPECT_EQ(second.objects.size(), 15u);
    EXPECT_EQ(second.next, "");
    EXPECT_GT(second.objects.front().key, first.objects.back().key);
}

TEST_P(StorageContract, RefusesPageSizesOutOfRange) {
    EXPECT_EQ(storage_.list("", "", 0).error().code(), ErrorCode::invalid_argument);
    EXPECT_EQ(storage_.list("", "", 1001).error().code(), ErrorCode::invalid_argument);
}

TEST_P(StorageContract, GoesOnListingAfterThePageWasRemoved) {
    for (const char* key : {"a/1", "a/2", "b/1", "b/2"}) ASSERT_TRUE(put(key, "x").ok());
    const ListPage first = *storage_.list("", "", 2);
    for (const ObjectInfo& object : first.objects) ASSERT_TRUE(storage_.remove(object.key).ok());
    const ListPage second = *storage_.list("", first.next, 2);
    ASSERT_EQ(second.objects.size(), 2u);
    EXPECT_EQ(second.objects[0].key, "b/1");
}

TEST_P(StorageContract, VisitsEveryObjectUntilTheVisitorFails) {
    for (int i = 0; i < 5; ++i) ASSERT_TRUE(put("v/" + std::to_string(i), "x").ok());
    std::vector<std::string> seen;
    const auto stopped = for_each_object(storage_, "v/", [&](const ObjectInfo& object) -> Result<void> {
        seen.push_back(object.key);
        if (seen.size() == 3) return Error(ErrorCode::cancelled, "enough");
        return {};
    });
    EXPECT_EQ(stopped.error().message(), "enough");
    EXPECT_THAT(seen, ElementsAre("v/0", "v/1", "v/2"));
}

TEST_P(StorageContract, RemovesObjectsAndMindsNoneMissing) {
    for (const char* key : {"a/b/c", "a/d", "e"}) ASSERT_TRUE(put(key, "x").ok());
    for (int i = 0; i < 2; ++i) {
        ASSERT_TRUE(storage_.remove("a/b/c").ok());
        ASSERT_TRUE(storage_.remove("never/was").ok());
        EXPECT_THAT(keys(""), ElementsAre("a/d", "e"));
        EXPECT_FALSE(storage_.stat("a/b/c")->has_value());
    }
    EXPECT_EQ(*put("a/b", "now an object"), PutOutcome::kCreated);
    EXPECT_EQ(*put("a/d", "x"), PutOutcome::kAlreadyExists);
}

TEST_P(StorageContract, LeavesObjectsAloneWhenStaleUploadsAreRemoved) {
    ASSERT_TRUE(put("a/b", "x").ok());
    ASSERT_TRUE(storage_.remove_stale_uploads(TimePoint::max()).ok());
    EXPECT_THAT(keys(""), ElementsAre("a/b"));
}

TEST_P(StorageContract, RefusesToReadMoreThanTheLimit) {
    ASSERT_TRUE(put("k", "12345").ok());
    EXPECT_TRUE(read_object(storage_, "k", 5).ok());
    const auto refused = read_object(storage_, "k", 4);
    EXPECT_EQ(refused.error().code(), ErrorCode::io_error);
    EXPECT_FALSE(refused.error().retryable());
}

TEST_P(StorageContract, PutsWhileOthersRemoveFromTheSameDirectory) {
    std::vector<std::jthread> workers;
    for (int w = 0; w < 4; ++w)
        workers.emplace_back([&, w] {
            const std::string key = "shared/deep/" + std::to_string(w);
            for (int i = 0; i < 40; ++i) {
                const auto outcome = put(key, key);
                ASSERT_TRUE(outcome.ok()) << outcome.error().to_string();
                ASSERT_EQ(*outcome, PutOutcome::kCreated);
                ASSERT_EQ(content(key), key);
                const auto removed = storage_.remove(key);
                ASSERT_TRUE(removed.ok()) << removed.error().to_string();
            }
        });
    workers.clear();
    EXPECT_THAT(keys(""), IsEmpty());
}

}  // namespace
}  // namespace steward
