// What is really changed on disk. Owners need root.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "program/permissions/change_file.h"
#include "program/permissions/cluster_walk.h"
#include "program/permissions/file_rights.h"
#include "base/temporary_directory.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

class RightsTest : public ::testing::Test {
protected:
    RightsTest() : root_(fs::canonical(temporary_.path())) {}

    fs::path make_file(const fs::path& name, mode_t mode) {
        const fs::path path = root_ / name;
        fs::create_directories(path.parent_path());
        std::ofstream(path) << "x";
        ::chmod(path.c_str(), mode);
        return path;
    }

    static FileFact look(const fs::path& path) {
        struct stat st = {};
        EXPECT_EQ(::lstat(path.c_str(), &st), 0) << path;
        return file_fact(path.native(), st);
    }

    static RightsChange to_mode(const fs::path& path, mode_t mode) {
        const FileFact file = look(path);
        return {path.native(), file.rights, {file.rights.user, file.rights.group, mode}, file.device, file.inode};
    }

    static mode_t mode_of(const fs::path& path) { return look(path).rights.mode; }

    ChangeOutcome change(const RightsChange& what) {
        const Result<ChangeOutcome> outcome = RightsChanger().change(what);
        EXPECT_TRUE(outcome.ok()) << outcome.error().to_string();
        return *outcome;
    }

    /// What a walk over `root_`/data finds, by path.
    std::map<std::string, Finding> walk(uid_t owner = ::geteuid()) {
        const FileRights data = look(root_ / "data").rights;
        const FileUser user{.user = owner, .group = data.group, .groups = {data.group}};
        const WalkedCluster cluster{.data_directory = root_ / "data", .major = 15, .rules = {.owner = user, .found_owner = data.user},
                                    .named = {}, .judged_apart = {"server.key"}};
        std::map<std::string, Finding> findings;
        const Result<void> walked = walk_cluster(cluster, [&](Finding finding) {
            last_ = finding.file.path;
            findings.emplace(finding.file.path, std::move(finding));
            return Result<void>();
        }, CancelToken());
        EXPECT_TRUE(walked.ok()) << walked.error().to_string();
        return findings;
    }

    TemporaryDirectory temporary_;
    const fs::path root_;
    std::string last_;
};

}  // namespace

TEST_F(RightsTest, AreChangedAndTakenBack) {
    const fs::path path = make_file("d/file", 0666);
    const RightsChange closed = to_mode(path, 0600);
    EXPECT_EQ(change(closed), ChangeOutcome::kDone);
    EXPECT_EQ(mode_of(path), 0600u);
    EXPECT_EQ(change(closed), ChangeOutcome::kNothing);
    EXPECT_EQ(change(closed.reversed()), ChangeOutcome::kDone);
    EXPECT_EQ(mode_of(path), 0666u);
}

TEST_F(RightsTest, OfAFileWithoutRightsAreChanged) {
    const fs::path path = make_file("file", 0);
    EXPECT_EQ(change(to_mode(path, 0600)), ChangeOutcome::kDone);
    EXPECT_EQ(mode_of(path), 0600u);
}

TEST_F(RightsTest, AreNotChangedThroughALinkThatTookTheFilesPlace) {
    const fs::path path = make_file("file", 0666), victim = make_file("victim", 0666);
    const RightsChange planned = to_mode(path, 0600);
    fs::remove(path);
    fs::create_symlink(victim, path);
    EXPECT_EQ(change(planned), ChangeOutcome::kSkipped);
    EXPECT_EQ(mode_of(victim), 0666u);
}

TEST_F(RightsTest, AreNotChangedThroughALinkThatTookADirectorysPlace) {
    const fs::path path = make_file("d/file", 0666);
    const RightsChange planned = to_mode(path, 0600);
    fs::rename(root_ / "d", root_ / "e");
    fs::create_symlink(root_ / "e", root_ / "d");
    EXPECT_EQ(change(planned), ChangeOutcome::kSkipped);
    EXPECT_EQ(mode_of(root_ / "e/file"), 0666u);
    RightsChange deeper = planned;
    deeper.path = (root_ / "d/sub/file").native();
    EXPECT_EQ(change(deeper), ChangeOutcome::kSkipped);
}

TEST_F(RightsTest, OfAnotherFileOfTheSameNameStay) {
    const fs::path path = make_file("file", 0666), other = make_file("other", 0666);
    const RightsChange planned = to_mode(path, 0600);
    fs::rename(other, path);
    EXPECT_EQ(change(planned), ChangeOutcome::kSkipped);
    EXPECT_EQ(mode_of(path), 0666u);
}

TEST_F(RightsTest, OfAFileWithASecondNameStay) {
    const fs::path path = make_file("file", 0666);
    const RightsChange planned = to_mode(path, 0600);
    fs::create_hard_link(path, root_ / "second");
    EXPECT_EQ(change(planned), ChangeOutcome::kSkipped);
    EXPECT_EQ(mode_of(path), 0666u);
}

TEST_F(RightsTest, ThatSomebodyChangedMeanwhileStay) {
    const fs::path path = make_file("file", 0666);
    const RightsChange planned = to_mode(path, 0600);
    ::chmod(path.c_str(), 0644);
    EXPECT_EQ(change(planned), ChangeOutcome::kSkipped);
    EXPECT_EQ(mode_of(path), 0644u);
}

TEST_F(RightsTest, OfTheOwnerAreGivenByRootAndTakenBack) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    const fs::path path = make_file("data/base/1", 04644);
    const FileFact file = look(path);
    const RightsChange given{path.native(), file.rights, {65534, 65534, 0600}, file.device, file.inode};
    EXPECT_EQ(change(given), ChangeOutcome::kDone);
    EXPECT_EQ(look(path).rights, given.after);
    EXPECT_EQ(change(given.reversed()), ChangeOutcome::kDone);
    EXPECT_EQ(look(path).rights, given.before);
}

TEST_F(RightsTest, OfAWrongOwnerAreFoundInTheDataDirectoryAndInLinkedTablespaces) {
    if (::geteuid() != 0) GTEST_SKIP() << "needs root";
    make_file("data/base/5/1249", 0600);
    make_file("data/archive.tar", 0600);
    make_file("data/pg_wal/lost+found/x", 0600);
    make_file("space/PG_15_202209061/5/2", 0600);
    make_file("space/other/3", 0600);
    make_file("wrong/3", 0600);
    fs::create_directories(root_ / "data/pg_tblspc");
    fs::create_directory_symlink(root_ / "space", root_ / "data/pg_tblspc/16384");
    fs::create_directory_symlink(root_ / "wrong", root_ / "data/pg_tblspc/16385");
    const auto found = walk(65534);
    const auto change_of_path = [&](const char* name) { return found.contains(root_ / name) && found.at(root_ / name).change; };
    for (const char* name : {"data/base/5/1249", "data/base/5", "data", "space", "space/PG_15_202209061/5/2"}) EXPECT_TRUE(change_of_path(name)) << name;
    EXPECT_EQ(found.at(root_ / "data/archive.tar").problem, Problem::kForeign);
    EXPECT_EQ(found.at(root_ / "data/pg_wal/lost+found").problem, Problem::kForeign);
    EXPECT_FALSE(found.contains(root_ / "data/pg_wal/lost+found/x"));
    EXPECT_FALSE(found.contains(root_ / "space/other")) << "another's";
    EXPECT_FALSE(found.contains(root_ / "wrong/3"));
    EXPECT_TRUE(found.contains(root_ / "wrong"));
    EXPECT_FALSE(change_of_path("wrong")) << "nothing proves that it is a tablespace";
    EXPECT_EQ(last_, root_ / "data") << "the data directory's owner tells whose all is, and is given last";
}

TEST_F(RightsTest, AreFoundWithoutFollowingPlantedLinks) {
    make_file("victim/passwd", 0666);
    make_file("data/base/5/1249", 0600);
    make_file("data/server.key", 0666);
    for (const char* name : {"data", "data/base", "data/base/5"}) ::chmod((root_ / name).c_str(), 0700);
    fs::create_directory_symlink(root_ / "victim", root_ / "data/base/6");
    fs::create_symlink(root_ / "victim/passwd", root_ / "data/base/5/7");
    fs::create_directory_symlink(root_ / "gone", root_ / "data/pg_wal");
    const auto found = walk();
    ASSERT_EQ(found.size(), 3u);
    EXPECT_EQ(found.at(root_ / "data/base/6").severity, Severity::kNote);
    EXPECT_EQ(found.at(root_ / "data/base/5/7").severity, Severity::kNote);
    EXPECT_EQ(found.at(root_ / "data/pg_wal").problem, Problem::kMissing);
    EXPECT_EQ(found.at(root_ / "data/pg_wal").severity, Severity::kError);
}

TEST_F(RightsTest, AreKeptInAListBeforeTheyChange) {
    const fs::path list = root_ / "list";
    ChangeFile file(list);
    EXPECT_FALSE(fs::exists(list));
    // More than one buffer.
    for (unsigned i = 0; i < 3000; ++i) ASSERT_TRUE(file.add({"/data/" + std::to_string(i), {0, 0, 0644}, {1, 1, 0600}, 1, i}).ok());
    ASSERT_TRUE(file.sync().ok());
    unsigned handed_out = 0;
    const auto take = [&](const RightsChange& planned) {
        EXPECT_EQ(planned.inode, handed_out++);
        return Result<void>();
    };
    ASSERT_TRUE(file.for_each_new(take).ok());
    EXPECT_EQ(handed_out, 3000u);
    ASSERT_TRUE(file.add({"/data/more", {0, 0, 0644}, {1, 1, 0600}, 1, 3000}).ok());
    ASSERT_TRUE(file.sync().ok());
    ASSERT_TRUE(file.for_each_new(take).ok());
    EXPECT_EQ(handed_out, 3001u);
    EXPECT_EQ(mode_of(list), 0600u);

    std::ofstream(list, std::ios::app) << "1 1 06";
    const Result<std::vector<RightsChange>> read = read_change_file(list);
    ASSERT_TRUE(read.ok()) << read.error().to_string();
    EXPECT_EQ(read->size(), 3001u) << "a line that was cut off was never acted on";
    EXPECT_FALSE(ChangeFile(list).add({"/x", {}, {}, 1, 1}).ok()) << "no list is written over";
    ::chmod(list.c_str(), 0620);
    EXPECT_EQ(read_change_file(list).error().code(), ErrorCode::permission_denied);
}

}  // namespace steward
