#include "core/permissions/access.h"

#include <gtest/gtest.h>

#include <cerrno>

namespace steward {

namespace {

const FileUser kServer{.user = 100, .group = 10, .groups = {10, 11}};

FileFact with_rights(FileType type, uid_t user, gid_t group, mode_t mode) { return {.path = "/etc/x", .type = type, .rights = {user, group, mode}}; }

AccessCase file_case(AccessRule rule, uid_t user, gid_t group, mode_t mode) {
    AccessCase access{.rule = rule, .setting = "some_setting"};
    access.path.path = "/etc/x";
    access.path.directories = {with_rights(FileType::kDirectory, 0, 0, 0755)};
    access.path.file = with_rights(FileType::kFile, user, group, mode);
    return access;
}

AccessCase directory_case(AccessRule rule, uid_t user, gid_t group, mode_t mode) {
    AccessCase access = file_case(rule, user, group, mode);
    access.path.file.type = FileType::kDirectory;
    return access;
}

}  // namespace

TEST(Access, IsDecidedByTheFirstClassThatFits) {
    EXPECT_TRUE(may_access(kServer, with_rights(FileType::kFile, 100, 0, 0400), kRead));
    EXPECT_FALSE(may_access(kServer, with_rights(FileType::kFile, 100, 10, 0044), kRead));
    EXPECT_TRUE(may_access(kServer, with_rights(FileType::kFile, 0, 11, 0040), kRead));
    EXPECT_FALSE(may_access(kServer, with_rights(FileType::kFile, 0, 11, 0004), kRead));
    EXPECT_TRUE(may_access(kServer, with_rights(FileType::kFile, 0, 0, 0004), kRead));
}

TEST(PrivateKey, IsLoadedAsTheServerDecides) {
    for (const auto& [user, group, mode] : {std::tuple{100, 10, 0600}, {100, 10, 0400}, {0, 11, 0640}})
        EXPECT_FALSE(judge_access(file_case(AccessRule::kPrivateKey, user, group, mode), kServer)) << user << ":" << group << " " << mode;
    const auto open = judge_access(file_case(AccessRule::kPrivateKey, 100, 10, 0640), kServer);
    ASSERT_TRUE(open);
    EXPECT_EQ(open->severity, Severity::kError);
    EXPECT_EQ(open->problem, Problem::kTooOpen);
    EXPECT_EQ(open->change->mode, 0600u);
}

TEST(PrivateKey, OfRootIsReportedAndNotChanged) {
    for (const auto& [group, mode, problem] : {std::tuple{11, 0644, Problem::kTooOpen}, {12, 0640, Problem::kNotUsable}}) {
        const auto finding = judge_access(file_case(AccessRule::kPrivateKey, 0, group, mode), kServer);
        ASSERT_TRUE(finding);
        EXPECT_EQ(finding->problem, problem);
        EXPECT_FALSE(finding->change);
    }
}

TEST(PrivateKey, OfAThirdUserIsRefusedEvenWhenItCanBeRead) {
    const auto finding = judge_access(file_case(AccessRule::kPrivateKey, 200, 10, 0640), kServer);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->problem, Problem::kWrongOwner);
    EXPECT_FALSE(finding->change);
}

TEST(PrivateKey, InTheDataDirectoryGoesToTheOwner) {
    AccessCase access = file_case(AccessRule::kPrivateKey, 200, 20, 0644);
    access.inside = true;
    EXPECT_EQ(judge_access(access, kServer)->change, (FileRights{100, 10, 0600}));
    access.path.file.names = 2;
    EXPECT_FALSE(judge_access(access, kServer)->change);
}

TEST(ConfigurationFile, MayBelongToRootWhenItCanBeRead) {
    EXPECT_FALSE(judge_access(file_case(AccessRule::kReadable, 0, 0, 0644), kServer));
    const auto finding = judge_access(file_case(AccessRule::kReadable, 0, 0, 0600), kServer);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::kError);
    EXPECT_FALSE(finding->change) << "a setting does not say whose file it names";
}

TEST(ConfigurationFile, InTheDataDirectoryIsMadeReadable) {
    AccessCase access = file_case(AccessRule::kReadable, 0, 0, 0600);
    access.inside = true;
    EXPECT_EQ(judge_access(access, kServer)->change, (FileRights{100, 10, 0600}));
    access.path.file.rights = {100, 10, 0};
    EXPECT_EQ(judge_access(access, kServer)->change, (FileRights{100, 10, 0600}));
}

TEST(SecretFile, IsForItsOwnerAlone) {
    EXPECT_FALSE(judge_access(file_case(AccessRule::kSecret, 100, 10, 0600), kServer));
    const auto finding = judge_access(file_case(AccessRule::kSecret, 100, 10, 0644), kServer);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::kWarning);
    EXPECT_EQ(finding->change->mode, 0600u);
}

TEST(SocketDirectory, NeedsTheStickyBitWhenEverybodyCanWriteIt) {
    EXPECT_FALSE(judge_access(directory_case(AccessRule::kSocketDirectory, 0, 0, 01777), kServer));
    const auto finding = judge_access(directory_case(AccessRule::kSocketDirectory, 0, 0, 0777), kServer);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->severity, Severity::kWarning);
    EXPECT_FALSE(finding->change);
    EXPECT_EQ(judge_access(directory_case(AccessRule::kSocketDirectory, 0, 0, 0755), kServer)->severity, Severity::kError);
}

TEST(RepositoryDirectory, IsUsableAndClosedToOthers) {
    EXPECT_FALSE(judge_access(directory_case(AccessRule::kRepository, 100, 10, 0750), kServer));
    EXPECT_EQ(judge_access(directory_case(AccessRule::kRepository, 100, 10, 0755), kServer)->severity, Severity::kWarning);
    EXPECT_EQ(judge_access(directory_case(AccessRule::kRepository, 0, 0, 0755), kServer)->severity, Severity::kError);
    EXPECT_EQ(judge_access(file_case(AccessRule::kRepository, 100, 10, 0600), kServer)->problem, Problem::kWrongType);
}

TEST(MissingFile, IsFineOnlyWhereItMayBeMissing) {
    AccessCase access = file_case(AccessRule::kReadable, 0, 0, 0);
    access.path.file = {};
    access.path.problem = ENOENT;
    EXPECT_EQ(judge_access(access, kServer)->problem, Problem::kMissing);
    access.may_be_missing = true;
    EXPECT_FALSE(judge_access(access, kServer));
    access.path.problem = EACCES;
    EXPECT_EQ(judge_access(access, kServer)->problem, Problem::kNotSearched);
}

TEST(Way, NamesTheFirstDirectoryThatCannotBeSearched) {
    AccessCase access = file_case(AccessRule::kReadable, 100, 10, 0600);
    access.path.directories.clear();
    for (const mode_t mode : {0755, 0700, 0600}) access.path.directories.push_back(with_rights(FileType::kDirectory, 0, 0, mode));
    access.path.directories[1].path = "/closed";
    const auto finding = judge_access(access, kServer);
    ASSERT_TRUE(finding);
    EXPECT_EQ(finding->file.path, "/closed");
    EXPECT_FALSE(finding->change);
}

TEST(Way, OfTheOwnersOwnDirectoryIsOpened) {
    AccessCase access = file_case(AccessRule::kReadable, 100, 10, 0600);
    access.path.directories = {with_rights(FileType::kDirectory, 100, 10, 0655)};
    EXPECT_EQ(judge_access(access, kServer)->change, (FileRights{100, 10, 0755}));
}

}  // namespace steward
