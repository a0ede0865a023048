// The repository of format version 1 that test/golden/v1 holds can be read for ever, and is what this release writes for kinds that have not changed since.

#include <gtest/gtest.h>

#include "core/backup/manifest.h"
#include "core/repository/catalog.h"
#include "core/repository/repository.h"
#include "golden/golden_repository.h"

namespace steward {
namespace {

const std::filesystem::path kGolden = std::filesystem::path(STEWARD_SOURCE_DIR) / "test/golden/v1";
constexpr const char* kBase = "cluster/golden/6543210fedcba987/";

Repository open_golden() {
    FileStorageOptions options;
    options.access = StorageAccess::kReadOnly;
    return Repository::open(FileStorage::open(kGolden, options).value(), "golden").value();
}

struct ExpectedGolden {
    const char* key;
    ObjectKind kind;
    uint64_t plain_length;
    size_t frames;
    Codec codec;
    const char* digest;
};

// Written out here, and not computed: a change of any is a change of the format.
const ExpectedGolden kExpected[] = {
    {"backups/golden/manifest", ObjectKind::kManifest, 1334, 1, Codec::kNone, "xxh3:487747f0423ac6f346f74a57e19931cb"},
    {"packs/golden/000001", ObjectKind::kPack, 1500, 1, Codec::kNone, "xxh3:f920a27325382383b560d1474cc326d1"},
    // Does not shrink: stored as it is under a codec.
    {"packs/golden/000002", ObjectKind::kPack, 700, 1, Codec::kZstd, "xxh3:ed17255aa8f4552d06017eaff6c0e8fe"},
    {"wal/00000001/00000000/000000010000000000000003", ObjectKind::kWalSegment, 1048576, 4, Codec::kZstd,
     "xxh3:c8877021da84fa46a5cc22758028b097"},
    {"wal/00000001/00000000/000000010000000000000003.00000028.backup", ObjectKind::kBackupHistory, 316, 1, Codec::kNone,
     "xxh3:8708015f0dd09b9cdba188eb9758df4e"},
    {"wal/00000002.history", ObjectKind::kTimelineHistory, 40, 1, Codec::kNone, "xxh3:82d5146e56266e3edf3a505d4a4c6956"},
};

TEST(GoldenRepository, HoldsExactlyTheObjectsOfTheFormat) {
    const Repository repository = open_golden();
    std::vector<std::string> keys, expected = {"identity/golden/0001"};
    ASSERT_TRUE(for_each_object(repository.storage(), "", [&](const ObjectInfo& object) -> Result<void> {
                    keys.push_back(object.key);
                    return {};
                }).ok());
    for (const ExpectedGolden& object : kExpected) expected.push_back(std::string(kBase) + object.key);
    std::ranges::sort(expected);
    EXPECT_EQ(keys, expected);
}

TEST(GoldenRepository, SaysWhoseItIs) {
    const Repository repository = open_golden();
    EXPECT_EQ(repository.identity().system_identifier, 0x6543210fedcba987u);
    EXPECT_EQ(repository.identity().major, 17);
    EXPECT_EQ(repository.identity().wal_segment_size, 1024u * 1024);
}

TEST(GoldenRepository, ReadsWithEveryFieldAndDigest) {
    const Repository repository = open_golden();
    for (const ExpectedGolden& expected : kExpected) {
        const std::string key = std::string(kBase) + expected.key;
        const auto head = repository.load_head(key, expected.kind);
        ASSERT_TRUE(head.ok()) << head.error().to_string();
        EXPECT_EQ(head->plain_length, expected.plain_length) << key;
        EXPECT_EQ(head->frames.size(), expected.frames) << key;
        EXPECT_EQ(head->frame_size, 262144u) << key;
        EXPECT_EQ(head->codec, expected.codec) << key;
        EXPECT_EQ(to_string(head->content_digest), expected.digest) << key;
        const auto content = repository.load(key, expected.kind);
        ASSERT_TRUE(content.ok()) << content.error().to_string();
        EXPECT_EQ(to_string(content_digest_of(*content)), expected.digest) << key;
    }
}

TEST(GoldenRepository, IsWhatThisReleaseWrites) {
    const Repository repository = open_golden();
    for (const GoldenObject& object : golden_objects(repository.layout())) {
        const BuiltObject built = build_object(object.kind, kGoldenIdentity.system_identifier, object.content, object.compression);
        EXPECT_EQ(*repository.load(object.key, object.kind), object.content) << object.key;
        if (object.compression.codec != Codec::kNone) continue;  // other releases of zstd choose other bytes
        Bytes bytes = built.head;
        bytes.insert(bytes.end(), built.payload.begin(), built.payload.end());
        EXPECT_EQ(*repository.storage().read(object.key, 0, UINT64_MAX), bytes) << object.key;
    }
}

TEST(GoldenRepository, HoldsAManifestThatIsUnderstoodAndWrittenAlike) {
    const Repository repository = open_golden();
    const auto content = repository.load(repository.layout().manifest("golden"), ObjectKind::kManifest);
    ASSERT_TRUE(content.ok()) << content.error().to_string();
    const auto manifest = parse_manifest(as_text(*content));
    ASSERT_TRUE(manifest.ok()) << manifest.error().to_string();
    EXPECT_EQ(manifest->summary.start_lsn, Lsn{0x300028});
    EXPECT_EQ(manifest->packs[1].number, 2u);
    EXPECT_EQ(manifest->files[0].runs[1].offset, 8192u);
    EXPECT_EQ(manifest->files[0].crc32c, 0x0a1b2c3du);
    EXPECT_EQ(render_manifest(*manifest), kGoldenManifest);
    const auto summary = load_summary(repository, "golden");
    ASSERT_TRUE(summary.ok()) << summary.error().to_string();
    EXPECT_EQ(summary->label, "golden");
}

}  // namespace
}  // namespace steward
