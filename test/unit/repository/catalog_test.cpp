#include "core/repository/catalog.h"

#include <gtest/gtest.h>

#include "core/base/format.h"
#include "repository/memory_repository.h"

namespace steward {
namespace {

BackupSummary summary_of(std::string label, uint32_t timeline, uint64_t start) {
    BackupSummary summary;
    summary.label = std::move(label);
    summary.system_identifier = kTestIdentity.system_identifier;
    summary.major = 17;
    summary.server_version = "17.6 (Debian 17.6-1)";
    summary.steward_version = "1.0";
    summary.timeline = timeline;
    summary.stop_timeline = timeline + 1;
    summary.start_lsn = Lsn{start};
    summary.stop_lsn = Lsn{start + 0x1000};
    summary.wal_segment_size = 1024 * 1024;
    summary.started = *parse_time("2026-11-20 11:04:43.123456Z");
    summary.stopped = *parse_time("2026-11-20 11:14:43Z");
    summary.from_standby = true;
    summary.data_checksums = true;
    summary.files = 1000;
    summary.data_bytes = 1ull << 60;
    summary.repository_bytes = 12345;
    summary.checksum_failures = 2;
    return summary;
}

void store_manifest(const Repository& repository, const std::string& label, const BackupSummary& summary) {
    const BuiltObject manifest = build_object(ObjectKind::kManifest, kTestIdentity.system_identifier,
                                              as_bytes(render_summary(summary) + "\nwhat follows is not read\n"), {});
    ASSERT_TRUE(repository.store(repository.layout().manifest(label), manifest, ObjectKind::kManifest).ok());
}

void store_segment(const Repository& repository, std::string_view name) {
    const BuiltObject segment = build_object(ObjectKind::kWalSegment, kTestIdentity.system_identifier, as_bytes(name), {Codec::kNone, 0});
    ASSERT_TRUE(repository.store(repository.layout().wal(name), segment, ObjectKind::kWalSegment).ok());
}

std::vector<std::string> labels_of(const std::vector<BackupSummary>& summaries) {
    std::vector<std::string> labels;
    for (const BackupSummary& summary : summaries) labels.push_back(summary.label);
    return labels;
}

TEST(BackupSummary, ReadsWhatItRenders) {
    const BackupSummary summary = summary_of("nightly", 3, 0x300000028);
    const auto parsed = parse_summary(render_summary(summary));
    ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
    EXPECT_EQ(render_summary(*parsed), render_summary(summary));
    EXPECT_EQ(parsed->system_identifier, kTestIdentity.system_identifier);
    EXPECT_EQ(parsed->start_lsn, summary.start_lsn);
    EXPECT_EQ(parsed->started, summary.started);
    EXPECT_EQ(parsed->data_bytes, 1ull << 60);
    EXPECT_TRUE(parsed->from_standby);
}

TEST(BackupSummary, PassesOverMembersOfNewerReleases) {
    const std::string line = render_summary(summary_of("nightly", 1, 8));
    EXPECT_TRUE(parse_summary(R"({"future": [1, 2],)" + line.substr(1)).ok());
}

TEST(BackupSummary, NamesTheMemberThatIsWrong) {
    const std::string line = render_summary(summary_of("nightly", 1, 8));
    const auto with = [&](const std::string& from, const std::string& to) {
        std::string changed = line;
        changed.replace(changed.find(from), from.size(), to);
        const auto parsed = parse_summary(changed);
        EXPECT_FALSE(parsed.ok()) << changed;
        if (!parsed.ok()) {
            EXPECT_EQ(parsed.error().code(), ErrorCode::corrupt_object);
        }
        return parsed.ok() ? std::string() : parsed.error().message();
    };
    EXPECT_EQ(with("\"label\"", "\"labe1\""), "summary of a backup is malformed: \"label\" is missing");
    EXPECT_EQ(with("\"timeline\":1", "\"timeline\":\"1\""), "summary of a backup is malformed: \"timeline\" is of the wrong type");
    EXPECT_EQ(with("\"0/8\"", "\"0-8\""), "summary of a backup is malformed: \"start_lsn\" is malformed");
    EXPECT_EQ(with("2026-11-20T11:04", "2026-11-40T11:04"), "summary of a backup is malformed: \"started\" is malformed");
    EXPECT_EQ(with("\"7300000000000000001\"", "\"-1\""), "summary of a backup is malformed: \"system_identifier\" is malformed");
    EXPECT_EQ(with("\"type\":\"backup\"", "\"type\":\"pack\""), "manifest does not begin with a summary");
}

TEST(BackupSummary, RefusesWhatIsNone) {
    for (const char* text : {"", "{", "[]", "null", "17", "\"backup\""})
        EXPECT_EQ(parse_summary(text).error().message(), "manifest does not begin with a summary") << text;
}

TEST(Catalog, OrdersByTimelineAndPositionAndNeverByClock) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    const auto add = [&](const std::string& label, uint32_t timeline, uint64_t start) {
        store_manifest(repository, label, summary_of(label, timeline, start));
    };
    add("a", 2, 0x5000000);
    add("b", 1, 0x9000000);
    add("c", 1, 0x2000000);
    add("e", 1, 0x9000000);
    EXPECT_EQ(labels_of(*Catalog().read(repository)), (std::vector<std::string>{"c", "b", "e", "a"}));
}

TEST(Catalog, DamageOfOneManifestDoesNotHideTheOthers) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    store_manifest(repository, "good", summary_of("good", 1, 8));
    store_manifest(repository, "damaged", summary_of("damaged", 1, 8));
    store_manifest(repository, "moved", summary_of("elsewhere", 1, 8));
    store.damage(repository.layout().manifest("damaged"), 40);
    Catalog catalog;
    EXPECT_EQ(labels_of(*catalog.read(repository)), std::vector<std::string>{"good"});
    ASSERT_EQ(catalog.damaged().size(), 2u);
    EXPECT_EQ(catalog.damaged()[0].error.object(), repository.layout().manifest("damaged"));
    EXPECT_NE(catalog.damaged()[1].error.message().find("is the manifest of backup \"elsewhere\""), std::string::npos);
}

TEST(Catalog, ReadsEachManifestOnceAndForgetsThoseThatAreGone) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    store_manifest(repository, "a", summary_of("a", 1, 8));
    store_manifest(repository, "b", summary_of("b", 1, 16));
    Catalog catalog;
    ASSERT_TRUE(catalog.read(repository).ok());
    const int reads = store.faulty.calls(StorageOperation::kRead);
    EXPECT_EQ(labels_of(*catalog.read(repository)), (std::vector<std::string>{"a", "b"}));
    EXPECT_EQ(store.faulty.calls(StorageOperation::kRead), reads);
    ASSERT_TRUE(store.memory.remove(repository.layout().manifest("a")).ok());
    EXPECT_EQ(labels_of(*catalog.read(repository)), std::vector<std::string>{"b"});
}

TEST(Catalog, AnUnreachableStoreIsAnErrorAndNotAnEmptyList) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    store_manifest(repository, "a", summary_of("a", 1, 8));
    Catalog catalog;
    store.faulty.fail_always(StorageOperation::kRead, Error(ErrorCode::network, "down"));
    EXPECT_EQ(catalog.read(repository).error().code(), ErrorCode::network);
    store.faulty.heal();
    EXPECT_EQ(labels_of(*catalog.read(repository)), std::vector<std::string>{"a"});
}

TEST(WalRanges, EndAtHolesAndAtTimelines) {
    MemoryStore store;
    const Repository repository = store.claim(kTestIdentity);
    // With segments of 1 MB a log has 0x1000 of them: the third name follows the second without a hole.
    for (const char* name : {"000000010000000000000FFE", "000000010000000000000FFF", "000000010000000100000000", "000000010000000100000002",
                             "000000020000000100000003", "000000020000000100000004", "00000002.history", "000000010000000100000003.partial",
                             "000000010000000000000FFE.00000028.backup"})
        store_segment(repository, name);
    std::vector<std::string> found;
    uint64_t bytes = 0;
    const auto ranges = list_wal_ranges(repository);
    for (const WalRange& range : *ranges) {
        found.push_back(formatted("{}:{}..{}:{}", range.timeline, range.first, range.last, range.segments));
        bytes += range.repository_bytes;
    }
    EXPECT_EQ(found, (std::vector<std::string>{"1:000000010000000000000FFE..000000010000000100000000:3",
                                               "1:000000010000000100000002..000000010000000100000002:1",
                                               "2:000000020000000100000003..000000020000000100000004:2"}));
    EXPECT_EQ(bytes, 6u * (128 + 20 + 24));
}

TEST(WalRanges, OfAnEmptyRepositoryAreNone) {
    MemoryStore store;
    EXPECT_TRUE(list_wal_ranges(store.claim(kTestIdentity))->empty());
}

}  // namespace
}  // namespace steward
