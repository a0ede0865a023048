#include "core/proof/verify.h"

#include <gtest/gtest.h>

#include "core/postgres/wal_name.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

constexpr uint64_t kMb = kRestoreSegmentSize;

class VerifyRepository : public ::testing::Test {
protected:
    VerifyRepository() : storage_(clock_), repository_(open_restore_repository(storage_)) {
        const BuiltObject pack = build_object(ObjectKind::kPack, kRestoreIdentity.system_identifier, empty_segment('p'), {Codec::kNone, 0});
        Manifest manifest;
        manifest.summary = test_summary("a", 1, 2 * kMb + 40, 3 * kMb + 80);
        manifest.packs = {{"set", 0, pack.plain_length, pack.size()}};
        const BuiltObject object = build_object(ObjectKind::kManifest, kRestoreIdentity.system_identifier, as_bytes(render_manifest(manifest)), {Codec::kZstd, 1});
        static_cast<void>(repository_.store(pack_key(), pack, ObjectKind::kPack).ok());
        static_cast<void>(repository_.store(repository_.layout().manifest("a"), object, ObjectKind::kManifest).ok());
        for (uint64_t number = 2; number <= 3; ++number) put_wal(repository_, name(number), empty_segment());
    }

    static std::string name(uint64_t number) { return to_string(WalSegmentName{1, number}, kRestoreSegmentSize); }
    std::string pack_key() const { return repository_.layout().pack("set", 0); }
    VerifyReport verify(VerifyDepth depth = VerifyDepth::kContent) { return verify_repository(repository_, depth, 2, progress_, {}).value(); }
    void flip_last_byte(const std::string& key) {
        Bytes object = read_object(storage_, key, 1 << 30).value();
        object.back() ^= std::byte{1};
        const ByteView parts[] = {object};
        static_cast<void>(storage_.put(key, parts, PutMode::kReplace).ok());
    }

    SystemClock clock_;
    RestoreProgress progress_;
    MemoryStorage storage_;
    Repository repository_;
};

TEST_F(VerifyRepository, FindsNothingWrongWhereNothingIs) {
    const VerifyReport report = verify();
    EXPECT_TRUE(report.problems.empty());
    EXPECT_EQ(report.objects, 4u);
    EXPECT_EQ(report.backups, 1u);
}

TEST_F(VerifyRepository, NamesADamagedPackUnlessOnlyHeadsAreRead) {
    flip_last_byte(pack_key());
    const VerifyReport report = verify();
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.problems[0].object(), pack_key());
    EXPECT_TRUE(verify(VerifyDepth::kQuick).problems.empty());
}

TEST_F(VerifyRepository, NamesAPackThatABackupNeedsAndIsGone) {
    ASSERT_TRUE(storage_.remove(pack_key()).ok());
    const VerifyReport report = verify(VerifyDepth::kQuick);
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.problems[0].object(), pack_key());
}

TEST_F(VerifyRepository, NamesWalThatABackupNeedsAndIsGone) {
    ASSERT_TRUE(storage_.remove(repository_.layout().wal(name(3))).ok());
    const VerifyReport report = verify();
    ASSERT_EQ(report.problems.size(), 1u);
    EXPECT_EQ(report.problems[0].code(), ErrorCode::missing_wal);
    EXPECT_EQ(report.problems[0].object(), name(3));
}

}  // namespace
}  // namespace steward
