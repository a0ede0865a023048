// Repositories of every format version so far, in test/golden, can be read for ever, and are what this release writes where a kind has not
// changed since.

#include <gtest/gtest.h>

#include "core/backup/manifest.h"
#include "core/backup/page_table.h"
#include "core/repository/verification_record.h"
#include "core/repository/catalog.h"
#include "core/repository/gap_ledger.h"
#include "core/repository/pins.h"
#include "core/repository/repository.h"
#include "core/repository/restore_points.h"
#include "core/repository/wal_tail.h"
#include "golden/golden_repository.h"

namespace steward {
namespace {

constexpr const char* kBase = "cluster/golden/6543210fedcba987/";

Repository open_golden(int version) {
    FileStorageOptions options;
    options.access = StorageAccess::kReadOnly;
    const std::filesystem::path directory = std::filesystem::path(STEWARD_SOURCE_DIR) / ("test/golden/v" + std::to_string(version));
    return Repository::open(FileStorage::open(directory, options).value(), "golden").value();
}

struct ExpectedGolden {
    const char* key;
    ObjectKind kind;
    int version;  ///< in the header
    uint64_t plain_length;
    size_t frames;
    Codec codec;
    const char* digest;
};

// Written out here, and not computed: a change of any is a change of the format.
const std::vector<ExpectedGolden> kExpected1 = {
    {"backups/golden/manifest", ObjectKind::kManifest, 1, 1334, 1, Codec::kNone, "xxh3:487747f0423ac6f346f74a57e19931cb"},
    {"packs/golden/000001", ObjectKind::kPack, 1, 1500, 1, Codec::kNone, "xxh3:f920a27325382383b560d1474cc326d1"},
    // Does not shrink: stored as it is under a codec.
    {"packs/golden/000002", ObjectKind::kPack, 1, 700, 1, Codec::kZstd, "xxh3:ed17255aa8f4552d06017eaff6c0e8fe"},
    {"wal/00000001/00000000/000000010000000000000003", ObjectKind::kWalSegment, 1, 1048576, 4, Codec::kZstd,
     "xxh3:c8877021da84fa46a5cc22758028b097"},
    {"wal/00000001/00000000/000000010000000000000003.00000028.backup", ObjectKind::kBackupHistory, 1, 316, 1, Codec::kNone,
     "xxh3:8708015f0dd09b9cdba188eb9758df4e"},
    {"wal/00000002.history", ObjectKind::kTimelineHistory, 1, 40, 1, Codec::kNone, "xxh3:82d5146e56266e3edf3a505d4a4c6956"},
};

const std::vector<ExpectedGolden> kExpected2 = {
    {"backups/second/manifest", ObjectKind::kManifest, 2, 1441, 1, Codec::kNone, "xxh3:3b81fc581978f83bf359dd77c30840bf"},
    {"packs/second/000001", ObjectKind::kPack, 1, 16500, 1, Codec::kNone, "xxh3:2c1ea6be052152c0d3731212c480f25b"},
    {"wal-tail/00000001/000000010000000000000006/00000000-00002000", ObjectKind::kWalTail, 2, 8192, 1, Codec::kNone,
     "xxh3:071bf5b2be888fb225ed97576cf8ea19"},
    {"restore-points/00000001-00000000005000A0", ObjectKind::kRestorePoint, 2, 111, 1, Codec::kNone, "xxh3:66ff25f06105d27bfd76273a36c287a2"},
    {"gaps/00000001-0000000000400000-0000000000500000", ObjectKind::kGap, 2, 116, 1, Codec::kNone, "xxh3:f55ea0cff9fe47aecb28e5464f9362a6"},
    {"pins/second", ObjectKind::kPin, 2, 73, 1, Codec::kNone, "xxh3:3f1394ceded466c3670c341a8fa095de"},
    {"leases/shared-backup-third-0123456789abcdef", ObjectKind::kLease, 2, 182, 1, Codec::kNone, "xxh3:5f927794857b82baf70381560609bd3d"},
    {"proofs/verification/20261121-130000Z-0123456789abcdef", ObjectKind::kVerification, 2, 196, 1, Codec::kNone,
     "xxh3:62b3d35edb861b57d9daf4e7542789d5"},
    {"proofs/drill/20261121-140000Z-second", ObjectKind::kDrill, 2, 226, 1, Codec::kNone, "xxh3:10c94d178537bc8e545c86c29bb92cca"},
};

class GoldenRepository : public testing::TestWithParam<int> {
protected:
    const std::vector<ExpectedGolden>& expected() const { return GetParam() == 1 ? kExpected1 : kExpected2; }
    std::vector<GoldenObject> objects() const {
        return GetParam() == 1 ? golden_objects(repository_.layout()) : golden_objects_2(repository_.layout());
    }

    Repository repository_ = open_golden(GetParam());
};

TEST_P(GoldenRepository, HoldsExactlyTheObjectsOfTheFormat) {
    std::vector<std::string> keys, expected_keys = {"identity/golden/0001"};
    ASSERT_TRUE(for_each_object(repository_.storage(), "", [&](const ObjectInfo& object) -> Result<void> {
                    keys.push_back(object.key);
                    return {};
                }).ok());
    for (const ExpectedGolden& object : expected()) expected_keys.push_back(std::string(kBase) + object.key);
    std::ranges::sort(expected_keys);
    EXPECT_EQ(keys, expected_keys);
}

TEST_P(GoldenRepository, SaysWhoseItIs) {
    EXPECT_EQ(repository_.identity().system_identifier, 0x6543210fedcba987u);
    EXPECT_EQ(repository_.identity().major, 17);
    EXPECT_EQ(repository_.identity().wal_segment_size, 1024u * 1024);
}

TEST_P(GoldenRepository, ReadsWithEveryFieldAndDigest) {
    for (const ExpectedGolden& expected : expected()) {
        const std::string key = std::string(kBase) + expected.key;
        const auto head = repository_.load_head(key, expected.kind);
        ASSERT_TRUE(head.ok()) << head.error().to_string();
        EXPECT_EQ(head->plain_length, expected.plain_length) << key;
        EXPECT_EQ(head->frames.size(), expected.frames) << key;
        EXPECT_EQ(head->frame_size, 262144u) << key;
        EXPECT_EQ(head->codec, expected.codec) << key;
        EXPECT_EQ(to_string(head->content_digest), expected.digest) << key;
        const auto content = repository_.load(key, expected.kind);
        ASSERT_TRUE(content.ok()) << content.error().to_string();
        EXPECT_EQ(to_string(content_digest_of(*content)), expected.digest) << key;
        EXPECT_EQ(load_le<uint16_t>(repository_.storage().read(key, 8, 2)->data()), expected.version) << key;
    }
}

TEST_P(GoldenRepository, IsWhatThisReleaseWrites) {
    for (const GoldenObject& object : objects()) {
        EXPECT_EQ(*repository_.load(object.key, object.kind), object.content) << object.key;
        // Other releases of zstd choose other bytes, and manifests have another version than at first.
        if (object.compression.codec != Codec::kNone || (object.kind == ObjectKind::kManifest && GetParam() == 1)) continue;
        const BuiltObject built = build_object(object.kind, kGoldenIdentity.system_identifier, object.content, object.compression);
        Bytes bytes = built.head;
        bytes.insert(bytes.end(), built.payload.begin(), built.payload.end());
        EXPECT_EQ(*repository_.storage().read(object.key, 0, UINT64_MAX), bytes) << object.key;
    }
}

INSTANTIATE_TEST_SUITE_P(Version, GoldenRepository, testing::Values(1, 2), [](const auto& version) { return "V" + std::to_string(version.param); });

TEST(GoldenManifest, OfVersionOneIsUnderstoodAndWrittenAlike) {
    const Repository repository = open_golden(1);
    const auto content = repository.load(repository.layout().manifest("golden"), ObjectKind::kManifest);
    ASSERT_TRUE(content.ok()) << content.error().to_string();
    const auto manifest = parse_manifest(as_text(*content));
    ASSERT_TRUE(manifest.ok()) << manifest.error().to_string();
    EXPECT_EQ(manifest->summary.start_lsn, Lsn{0x300028});
    EXPECT_EQ(manifest->summary.last_full_read, std::nullopt);
    EXPECT_EQ(manifest->packs[1].number, 2u);
    EXPECT_EQ(manifest->packs[1].table, 0u);
    EXPECT_EQ(manifest->files[0].runs[1].offset, 8192u);
    EXPECT_EQ(manifest->files[0].crc32c, 0x0a1b2c3du);
    EXPECT_EQ(render_manifest(*manifest), kGoldenManifest);
    const auto summary = load_summary(repository, "golden");
    ASSERT_TRUE(summary.ok()) << summary.error().to_string();
    EXPECT_EQ(summary->label, "golden");
}

TEST(GoldenManifest, OfVersionTwoRefersToPagesWhoseDigestsArePacked) {
    const Repository repository = open_golden(2);
    const auto content = repository.load(repository.layout().manifest("second"), ObjectKind::kManifest);
    ASSERT_TRUE(content.ok()) << content.error().to_string();
    const auto manifest = parse_manifest(as_text(*content));
    ASSERT_TRUE(manifest.ok()) << manifest.error().to_string();
    EXPECT_EQ(manifest->summary.base, "golden");
    EXPECT_EQ(manifest->files[0].crc32c, std::nullopt);
    EXPECT_EQ(manifest->files[1].digest, digest_of(golden_bytes(100, 7)));
    EXPECT_EQ(render_manifest(*manifest), kGoldenManifest2);
    const auto table = load_page_table(repository, manifest->packs[0]);
    ASSERT_TRUE(table.ok()) << table.error().to_string();
    EXPECT_EQ(*table, (std::vector<uint64_t>{short_digest_of(golden_bytes(8192, 5)), short_digest_of(golden_bytes(8192, 6))}));
}

TEST(GoldenRecords, AreUnderstood) {
    const Repository repository = open_golden(2);
    RestorePoints points;
    const auto listed = points.read(repository);
    ASSERT_TRUE(listed.ok());
    ASSERT_EQ(listed->size(), 1u);
    EXPECT_EQ(listed->front().name, "before deploy");
    EXPECT_EQ(listed->front().lsn, Lsn{0x5000A0});
    GapLedger ledger;
    const auto gaps = ledger.read(repository);
    ASSERT_TRUE(gaps.ok());
    ASSERT_EQ(gaps->size(), 1u);
    EXPECT_EQ(gaps->front().reason, GapReason::kPruned);
    EXPECT_EQ(*list_pinned(repository), (std::vector<std::string>{"second"}));
    EXPECT_EQ((*load_pin(repository, "second"))->note, "keep me");
    const auto verification = load_verification(repository);
    ASSERT_TRUE(verification.ok());
    EXPECT_EQ(verification->record.verified.size(), 1u);
    EXPECT_TRUE(verification->damaged.empty());
    const auto tails = list_wal_tails(repository);
    ASSERT_TRUE(tails.ok());
    ASSERT_EQ(tails->size(), 1u);
    EXPECT_EQ(chain_end(tails->front().pieces), 8192u);
}

}  // namespace
}  // namespace steward
