#include "core/expiry/remove_former.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "core/backup/manifest.h"
#include "retention/made_up_repository.h"

namespace steward {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr Identity kSuccessor{7400000000000000002, 18, MadeUpCluster::kSegmentSize};

class RemoveFormerTest : public ::testing::Test {
protected:
    RemoveFormerTest() : in_force_(succeed()) {
        for (const char* label : {"a", "b"}) {
            BackupRecord record;
            record.summary.label = label;
            record.summary.wal_segment_size = MadeUpCluster::kSegmentSize;
            record.packs = {label};
            made_.add_pack({label, 1000, {}});
            made_.add_backup(record);
        }
        made_.add_wal(1, 1, 5);
    }

    Repository succeed() {
        const Predecessor predecessor{MadeUpRepository::kIdentity.system_identifier, 17};
        return Repository::open_or_claim(std::make_unique<HookedStorage>(made_.store(), HookedStorage::Before()), "main", kSuccessor, made_.store_clock(), {&predecessor, 1}).value();
    }

    /// A backup of the one that has the name now.
    void back_up() {
        Manifest manifest;
        manifest.summary.label = "new";
        manifest.summary.system_identifier = kSuccessor.system_identifier;
        manifest.summary.wal_segment_size = kSuccessor.wal_segment_size;
        const BuiltObject object = build_object(ObjectKind::kManifest, kSuccessor.system_identifier, as_bytes(render_manifest(manifest)), {Codec::kNone, 0});
        ASSERT_TRUE(in_force_.store(in_force_.layout().manifest("new"), object, ObjectKind::kManifest).ok());
    }

    Result<FormerRemoval> remove(bool dry_run = false) { return remove(made_.repository(), dry_run); }
    Result<FormerRemoval> remove(const Repository& former, bool dry_run = false) {
        return remove_former_system(former, in_force_, {.dry_run = dry_run, .clock = made_.store_clock(), .timer = timer_});
    }
    std::set<std::string> left() { return made_.keys(made_.layout().prefix()); }

    MadeUpRepository made_;
    Repository in_force_;
    SteadyRetryTimer timer_;
};

TEST_F(RemoveFormerTest, LeavesOnlyIdentitiesAndWhatIsTheSuccessors) {
    back_up();
    const Result<FormerRemoval> removed = remove();
    ASSERT_TRUE(removed.ok()) << removed.error().to_string();
    EXPECT_EQ(removed->objects, 9u);
    EXPECT_EQ(removed->backups, 2u);
    EXPECT_THAT(left(), IsEmpty());
    EXPECT_THAT(made_.keys("identity/"), SizeIs(2));
    EXPECT_THAT(made_.keys(in_force_.layout().prefix()), SizeIs(1));
    EXPECT_EQ(remove()->objects, 0u) << "again: nothing is left";
}

TEST_F(RemoveFormerTest, ADryRunCountsTheSameAndRemovesNothing) {
    back_up();
    const auto before = left();
    EXPECT_EQ(remove(true)->objects, 9u);
    EXPECT_EQ(left(), before);
}

TEST_F(RemoveFormerTest, TheOnlyBackupsThereAreStay) {
    const auto before = left();
    const Result<FormerRemoval> refused = remove();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::wrong_state);
    EXPECT_THAT(refused.error().message(), HasSubstr("has no backup yet"));
    EXPECT_EQ(left(), before);
    EXPECT_FALSE(remove(true).ok());
}

TEST_F(RemoveFormerTest, KeptBackupsStay) {
    back_up();
    made_.put_object(made_.layout().pin("b"), ObjectKind::kPin, "{}");
    const Result<FormerRemoval> refused = remove();
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::wrong_state);
    EXPECT_EQ(refused.error().detail(), "They are: b.");
    EXPECT_THAT(left(), SizeIs(10));
}

TEST_F(RemoveFormerTest, NothingIsRemovedOfWhoHasTheName) {
    back_up();
    EXPECT_EQ(remove(in_force_).error().code(), ErrorCode::invalid_argument);
    EXPECT_THAT(made_.keys(in_force_.layout().prefix()), SizeIs(1));
}

TEST_F(RemoveFormerTest, AfterAnInterruptionNoBackupIsHalfAndTheNextRunRemovesTheRest) {
    back_up();
    int calls = 0;
    const auto interrupt = [&](StorageOperation operation, std::string_view key) -> Result<void> {
        if (operation != StorageOperation::kRemove || key.find("/leases/") != key.npos) return {};
        return ++calls == 4 ? Result<void>(Error(ErrorCode::io_error, "interrupted")) : Result<void>();
    };
    const Repository former =
        Repository::open(std::make_unique<HookedStorage>(made_.store(), interrupt), "main", MadeUpRepository::kIdentity.system_identifier).value();
    EXPECT_EQ(remove(former).error().code(), ErrorCode::io_error);
    for (const std::string& key : left()) EXPECT_FALSE(made_.layout().label_of_manifest(key)) << key;
    EXPECT_THAT(left(), SizeIs(6));
    EXPECT_EQ(remove()->objects, 6u);
    EXPECT_THAT(left(), IsEmpty());
}

}  // namespace
}  // namespace steward
