#include "core/repository/layout.h"

#include <gtest/gtest.h>

#include <string>

namespace steward {
namespace {

const Layout kLayout("main", 0xabc);

// These names are the format: what changes one changes the format version.
TEST(Layout, NamesObjectsAsDocumented) {
    EXPECT_EQ(Layout::identity("main", 1), "identity/main/0001");
    EXPECT_EQ(kLayout.wal("00000002.history"), "cluster/main/0000000000000abc/wal/00000002.history");
    EXPECT_EQ(kLayout.wal("000000020000000A000000FF"), "cluster/main/0000000000000abc/wal/00000002/0000000A/000000020000000A000000FF");
    EXPECT_EQ(kLayout.wal("000000020000000A000000FF.partial"),
              "cluster/main/0000000000000abc/wal/00000002/0000000A/000000020000000A000000FF.partial");
    EXPECT_EQ(kLayout.wal("000000020000000A000000FF.00000028.backup"),
              "cluster/main/0000000000000abc/wal/00000002/0000000A/000000020000000A000000FF.00000028.backup");
    EXPECT_EQ(kLayout.manifest("nightly-1"), "cluster/main/0000000000000abc/backups/nightly-1/manifest");
    EXPECT_EQ(kLayout.pack("nightly-1", 12), "cluster/main/0000000000000abc/packs/nightly-1/000012");
    EXPECT_EQ(kLayout.wal_tail("000000020000000A000000FF", 0x2000, 0x14000),
              "cluster/main/0000000000000abc/wal-tail/00000002/000000020000000A000000FF/00002000-00014000");
    EXPECT_EQ(kLayout.restore_point(2, Lsn{0xA000000028}), "cluster/main/0000000000000abc/restore-points/00000002-000000A000000028");
    EXPECT_EQ(kLayout.gap(2, Lsn{0xA000000000}, Lsn{0xA001000000}),
              "cluster/main/0000000000000abc/gaps/00000002-000000A000000000-000000A001000000");
    EXPECT_EQ(kLayout.pin("nightly-1"), "cluster/main/0000000000000abc/pins/nightly-1");
    EXPECT_EQ(kLayout.lease("expire"), "cluster/main/0000000000000abc/leases/expire");
    EXPECT_EQ(kLayout.verification("x"), "cluster/main/0000000000000abc/proofs/verification/x");
    EXPECT_EQ(kLayout.drill("x"), "cluster/main/0000000000000abc/proofs/drill/x");
}

TEST(Layout, TellsWhatAnObjectIsByItsName) {
    const std::string segment = "000000020000000A000000FF";
    EXPECT_EQ(kLayout.kind_of(kLayout.wal(segment)), ObjectKind::kWalSegment);
    EXPECT_EQ(kLayout.kind_of(kLayout.wal(segment + ".partial")), ObjectKind::kWalSegment);
    EXPECT_EQ(kLayout.kind_of(kLayout.wal(segment + ".00000028.backup")), ObjectKind::kBackupHistory);
    EXPECT_EQ(kLayout.kind_of(kLayout.wal("00000002.history")), ObjectKind::kTimelineHistory);
    EXPECT_EQ(kLayout.kind_of(kLayout.manifest("a")), ObjectKind::kManifest);
    EXPECT_EQ(kLayout.kind_of(kLayout.pack("a", 1)), ObjectKind::kPack);
    EXPECT_EQ(kLayout.kind_of(kLayout.wal_tail(segment, 0, 10)), ObjectKind::kWalTail);
    EXPECT_EQ(kLayout.kind_of(kLayout.restore_point(1, Lsn{5})), ObjectKind::kRestorePoint);
    EXPECT_EQ(kLayout.kind_of(kLayout.gap(1, Lsn{5}, Lsn{6})), ObjectKind::kGap);
    EXPECT_EQ(kLayout.kind_of(kLayout.pin("a")), ObjectKind::kPin);
    EXPECT_EQ(kLayout.kind_of(kLayout.lease("a")), ObjectKind::kLease);
    EXPECT_EQ(kLayout.kind_of(kLayout.verification("a")), ObjectKind::kVerification);
    EXPECT_EQ(kLayout.kind_of(kLayout.drill("a")), ObjectKind::kDrill);
}

TEST(Layout, KnowsNoObjectInAPlaceThatIsNotItsOwn) {
    EXPECT_EQ(kLayout.kind_of(kLayout.wal_prefix() + "00000003/0000000A/000000020000000A000000FF"), std::nullopt);
    EXPECT_EQ(kLayout.kind_of(kLayout.wal_prefix() + "notes"), std::nullopt);
    EXPECT_EQ(kLayout.kind_of(kLayout.backups_prefix() + "a/notes"), std::nullopt);
    EXPECT_EQ(kLayout.kind_of(kLayout.prefix() + "notes"), std::nullopt);
    EXPECT_EQ(kLayout.kind_of(Layout::identity("main", 1)), std::nullopt);
}

TEST(Layout, PrefixesHoldTheirObjectsAndNoOthers) {
    const std::string segment = kLayout.wal("000000020000000A000000FF");
    EXPECT_TRUE(segment.starts_with(kLayout.wal_prefix()));
    EXPECT_TRUE(segment.starts_with(kLayout.wal_timeline_prefix(2)));
    EXPECT_FALSE(segment.starts_with(kLayout.wal_timeline_prefix(0x20)));
    EXPECT_TRUE(kLayout.manifest("a").starts_with(kLayout.backups_prefix()));
    EXPECT_TRUE(kLayout.pack("a", 1).starts_with(kLayout.packs_prefix()));
    EXPECT_TRUE(kLayout.wal_tail("000000020000000A000000FF", 0, 8192).starts_with(kLayout.wal_tail_prefix("000000020000000A000000FF")));
    EXPECT_TRUE(kLayout.wal_tail_prefix("000000020000000A000000FF").starts_with(kLayout.wal_tails_prefix()));
    EXPECT_FALSE(kLayout.wal_tails_prefix().starts_with(kLayout.wal_prefix()));
    EXPECT_TRUE(kLayout.restore_point(1, Lsn{1}).starts_with(kLayout.restore_points_prefix()));
    EXPECT_TRUE(kLayout.gap(1, Lsn{1}, Lsn{2}).starts_with(kLayout.gaps_prefix()));
    EXPECT_TRUE(kLayout.pin("a").starts_with(kLayout.pins_prefix()));
    EXPECT_TRUE(kLayout.lease("a").starts_with(kLayout.leases_prefix()));
    EXPECT_TRUE(kLayout.verification("a").starts_with(kLayout.verifications_prefix()));
    EXPECT_TRUE(kLayout.drill("a").starts_with(kLayout.drills_prefix()));
    EXPECT_TRUE(Layout::identity("main", 1).starts_with(Layout::identity_prefix("main")));
    EXPECT_FALSE(Layout::identity("main2", 1).starts_with(Layout::identity_prefix("main")));
    EXPECT_TRUE(Layout::identity("main", 1).starts_with(Layout::identities_prefix()));
}

TEST(Layout, TellsTheLabelOfAManifest) {
    EXPECT_EQ(kLayout.label_of_manifest(kLayout.manifest("nightly-1")), "nightly-1");
    for (const std::string& key : {kLayout.backups_prefix() + "manifest", kLayout.backups_prefix() + "/manifest", kLayout.manifest("a") + ".old",
                                   kLayout.pack("a", 1), Layout("other", 0xabc).manifest("a"), std::string()})
        EXPECT_EQ(kLayout.label_of_manifest(key), std::nullopt) << key;
}

TEST(Layout, TellsTheClusterOfAnIdentity) {
    EXPECT_EQ(Layout::cluster_of_identity(Layout::identity("main", 1)), "main");
    for (const char* key : {"", "identity/", "identity/0001", "identity//0001", "other/main/0001"})
        EXPECT_EQ(Layout::cluster_of_identity(key), std::nullopt) << key;
}

TEST(Label, TakesWhatOperatorsChoose) {
    for (const std::string& label : {std::string("a"), std::string("_x"), std::string("20261120-110443Z"), std::string("v1.2_final"), std::string(64, 'x')})
        EXPECT_TRUE(check_label(label).ok()) << label;
}

TEST(Label, RefusesWhatCouldBeAPathOrAnOption) {
    for (const std::string& label : {std::string(), std::string("."), std::string(".."), std::string("-f"), std::string("a/b"), std::string("a b"),
                                     std::string("\xc3\xa4"), std::string("a\n"), std::string("a\0b", 3), std::string(65, 'x')}) {
        const auto result = check_label(label);
        ASSERT_FALSE(result.ok()) << label;
        EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
        EXPECT_FALSE(result.error().hint().empty());
    }
}

TEST(Layout, TellsWhichBytesAPieceOfATailHolds) {
    const std::string name = "000000020000000A000000FF";
    const auto piece = kLayout.parse_wal_tail(kLayout.wal_tail(name, 0x2000, 0x14000));
    ASSERT_TRUE(piece);
    EXPECT_EQ(piece->segment, name);
    EXPECT_EQ(piece->begin, 0x2000u);
    EXPECT_EQ(piece->end, 0x14000u);
    const std::string prefix = kLayout.wal_tail_prefix(name);
    for (const std::string& key : {prefix + "00002000-00002000", prefix + "00002000-00001000", prefix + "0000200-000001000", prefix + "0000200g-00014000",
                                   prefix + "0000000a-00014000", prefix + "00002000-00014000/x", kLayout.wal(name), std::string(),
                                   kLayout.wal_tails_prefix() + "00000001/" + name + "/00002000-00014000"})
        EXPECT_FALSE(kLayout.parse_wal_tail(key)) << key;
}

}  // namespace
}  // namespace steward
