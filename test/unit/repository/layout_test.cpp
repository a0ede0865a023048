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
}

TEST(Layout, PrefixesHoldTheirObjectsAndNoOthers) {
    const std::string segment = kLayout.wal("000000020000000A000000FF");
    EXPECT_TRUE(segment.starts_with(kLayout.wal_prefix()));
    EXPECT_TRUE(segment.starts_with(kLayout.wal_timeline_prefix(2)));
    EXPECT_FALSE(segment.starts_with(kLayout.wal_timeline_prefix(0x20)));
    EXPECT_TRUE(kLayout.manifest("a").starts_with(kLayout.backups_prefix()));
    EXPECT_TRUE(kLayout.pack("a", 1).starts_with(kLayout.packs_prefix()));
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

}  // namespace
}  // namespace steward
