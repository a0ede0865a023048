#include "core/permissions/cluster_files.h"

#include <gtest/gtest.h>

namespace steward {

namespace {

constexpr uid_t kOwner = 100, kOther = 200;

ClusterRules rules_of(bool group_access) {
    return {.owner = {.user = kOwner, .group = 10, .groups = {10}}, .found_owner = kOwner, .group_access = group_access};
}

FileFact fact(FileType type, mode_t mode, uid_t user = kOwner, gid_t group = 10) {
    return {.path = "/data/x", .type = type, .rights = {user, group, mode}, .names = 1, .device = 1, .inode = 2};
}

FileFact plain(mode_t mode, uid_t user = kOwner, gid_t group = 10) { return fact(FileType::kFile, mode, user, group); }
FileFact directory(mode_t mode, uid_t user = kOwner, gid_t group = 10) { return fact(FileType::kDirectory, mode, user, group); }

std::optional<Finding> judge_inside(const FileFact& file, bool group_access = false, bool outside = false) {
    return judge_cluster_file(file, ClusterPlace::kInside, outside, rules_of(group_access));
}

}  // namespace

TEST(GroupAccess, FollowsTheDataDirectoryWhereTheServerTakesIt) {
    EXPECT_FALSE(decide_group_access(0700, 0640));
    EXPECT_TRUE(decide_group_access(0750, 0600));
    EXPECT_FALSE(decide_group_access(0740, 0640));
}

TEST(GroupAccess, FollowsTheVersionFileWhereTheDataDirectoryIsWrong) {
    EXPECT_TRUE(decide_group_access(0777, 0640));
    EXPECT_FALSE(decide_group_access(0777, 0600));
    EXPECT_FALSE(decide_group_access(0777, 0777));
}

TEST(ClusterFile, IsRightAsInitdbMakesIt) {
    EXPECT_FALSE(judge_inside(plain(0600)));
    EXPECT_FALSE(judge_inside(directory(0700)));
    EXPECT_FALSE(judge_inside(plain(0640), true));
    EXPECT_FALSE(judge_inside(directory(0750), true));
    EXPECT_FALSE(judge_inside(directory(02700)));
    EXPECT_FALSE(judge_cluster_file(directory(0750), ClusterPlace::kDataDirectory, false, rules_of(true)));
}

TEST(ClusterFile, MayBeStricterThanTheClusterIs) {
    EXPECT_FALSE(judge_inside(plain(0600), true));
    EXPECT_FALSE(judge_inside(directory(0700), true));
    EXPECT_FALSE(judge_inside(plain(0640), false));
}

TEST(ClusterFile, OfSomebodyElseIsAnErrorAndGoesToTheOwner) {
    const auto finding = judge_inside(plain(0600, kOther, 20));
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::kError);
    EXPECT_EQ(finding->problem, Problem::kWrongOwner);
    EXPECT_EQ(finding->change, (FileRights{kOwner, 10, 0600}));
}

TEST(ClusterFile, ThatIsTooOpenIsAWarningInsideAndAnErrorAtTheTop) {
    const auto inside = judge_inside(plain(0666));
    ASSERT_TRUE(inside);
    EXPECT_EQ(inside->severity, Severity::kWarning);
    EXPECT_EQ(inside->change, (FileRights{kOwner, 10, 0600}));
    const auto top = judge_cluster_file(directory(0755), ClusterPlace::kDataDirectory, false, rules_of(false));
    ASSERT_TRUE(top);
    EXPECT_EQ(top->severity, Severity::kError);
    EXPECT_EQ(top->problem, Problem::kTooOpen);
    EXPECT_EQ(top->change, (FileRights{kOwner, 10, 0700}));
}

TEST(ClusterFile, ThatItsOwnerCannotUseIsAnError) {
    for (const FileFact& file : {plain(0400), plain(0), directory(0600), directory(0500)}) {
        const auto finding = judge_inside(file, true);
        ASSERT_TRUE(finding);
        EXPECT_EQ(finding->severity, Severity::kError);
        EXPECT_EQ(finding->problem, Problem::kNotUsable);
        EXPECT_EQ(finding->change->mode, file.type == FileType::kFile ? 0640u : 0750u);
    }
}

TEST(ClusterFile, OfAnotherGroupMattersOnlyWhereTheGroupMayRead) {
    EXPECT_FALSE(judge_inside(plain(0640, kOwner, 20), false));
    EXPECT_FALSE(judge_inside(plain(0600, kOwner, 20), true));
    const auto finding = judge_inside(plain(0640, kOwner, 20), true);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->problem, Problem::kWrongGroup);
    EXPECT_EQ(finding->change, (FileRights{kOwner, 10, 0640}));
}

TEST(ClusterFile, KeepsTheSetGroupBitOfADirectory) {
    EXPECT_EQ(judge_cluster_file(directory(02777), ClusterPlace::kDataDirectory, false, rules_of(false))->change->mode, 02700u);
}

TEST(ClusterFile, WithSeveralNamesIsReportedAndNotChanged) {
    FileFact file = plain(0600, kOther);
    file.names = 2;
    const auto finding = judge_inside(file);
    ASSERT_TRUE(finding);
    EXPECT_FALSE(finding->change);
    EXPECT_NE(finding->cure.find("2 names"), std::string::npos);
}

TEST(ClusterFile, ThatIsALinkOrASocketIsANote) {
    for (const FileType type : {FileType::kLink, FileType::kOther}) {
        const auto finding = judge_inside(fact(type, 0777, 0, 0));
        ASSERT_TRUE(finding);
        EXPECT_EQ(finding->severity, Severity::kNote);
        EXPECT_FALSE(finding->change);
    }
}

TEST(LinkedFile, OfSomebodyElseIsNotChanged) {
    EXPECT_FALSE(judge_inside(plain(0600, kOther), false, true)->change);
    EXPECT_TRUE(judge_inside(plain(0600, 0), false, true)->change);
    EXPECT_TRUE(judge_inside(plain(0666), false, true)->change);
}

TEST(LinkedFile, OfTheDataDirectorysFormerOwnerIsChanged) {
    ClusterRules rules = rules_of(false);
    rules.found_owner = kOther;
    EXPECT_TRUE(judge_cluster_file(plain(0600, kOther), ClusterPlace::kInside, true, rules)->change);
}

TEST(LinkedDirectory, OfRootThatOthersCanWriteIsNotChanged) {
    EXPECT_FALSE(judge_cluster_file(directory(01777, 0, 0), ClusterPlace::kLinkedDirectory, true, rules_of(false))->change);
    EXPECT_EQ(judge_cluster_file(directory(0755, 0, 0), ClusterPlace::kLinkedDirectory, true, rules_of(false))->change, (FileRights{kOwner, 10, 0700}));
}

TEST(ClusterName, IsWhatPostgresqlOrStewardMakes) {
    for (const char* name : {"base", "PG_VERSION", "pg_steward", "postgresql.auto.conf", "standby.signal"}) EXPECT_TRUE(is_cluster_name(name)) << name;
    for (const char* name : {"lost+found", "backup.tar", "", "postgresql.conf.bak", ".snapshot"}) EXPECT_FALSE(is_cluster_name(name)) << name;
}

TEST(TablespaceName, IsOfOneMajor) {
    EXPECT_TRUE(is_tablespace_name("PG_15_202209061", 15));
    for (const char* name : {"PG_14_202107181", "PG_15_", "PG_15_2022x", "PG_150_2022", "lost+found"}) EXPECT_FALSE(is_tablespace_name(name, 15)) << name;
}

TEST(ForeignFile, IsANoteUnlessTheOwnerCannotReadIt) {
    const FileUser owner = rules_of(false).owner;
    EXPECT_EQ(foreign_file(plain(0644, 0, 0), owner).severity, Severity::kNote);
    EXPECT_EQ(foreign_file(directory(0700, 0, 0), owner).severity, Severity::kWarning);
    EXPECT_FALSE(foreign_file(directory(0700, 0, 0), owner).change);
}

TEST(Action, OfRootIsEverythingAndOfAnOwnerTheModeOfItsOwn) {
    Finding finding{.file = plain(0666), .change = FileRights{kOwner, 10, 0600}};
    decide_action(finding, kOwner);
    EXPECT_EQ(finding.action, Action::kChange);
    decide_action(finding, kOther);
    EXPECT_EQ(finding.action, Action::kNeedsRoot);
    finding.file.rights.user = kOther;
    decide_action(finding, kOwner);
    EXPECT_EQ(finding.action, Action::kNeedsRoot);
    decide_action(finding, 0);
    EXPECT_EQ(finding.action, Action::kChange);
    finding.change.reset();
    decide_action(finding, 0);
    EXPECT_EQ(finding.action, Action::kNone);
}

}  // namespace steward
