#include "core/storage/file_storage.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/temporary_directory.h"
#include "storage/storage_contract_test.h"

namespace steward {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::shared_ptr<Storage> storage_in_new_directory(NoReplace way) {
    struct Owner {
        TemporaryDirectory directory;
        std::unique_ptr<Storage> storage;
    };
    auto owner = std::make_shared<Owner>();
    owner->storage = FileStorage::open(owner->directory.path() / "repository", {.create = true, .no_replace = way}).value();
    return {owner, owner->storage.get()};
}

INSTANTIATE_TEST_SUITE_P(File, StorageContract,
                         testing::Values(StorageUnderTest{[] { return storage_in_new_directory(NoReplace::kRename); }}));
INSTANTIATE_TEST_SUITE_P(FileByLink, StorageContract,
                         testing::Values(StorageUnderTest{[] { return storage_in_new_directory(NoReplace::kLink); }}));

class FileStorageTest : public testing::Test {
protected:
    FileStorageTest() : root_(directory_.path() / "repository"), storage_(FileStorage::open(root_, {.create = true}).value()) {}

    Result<PutOutcome> put(std::string_view key, std::string_view content = "x", PutMode mode = PutMode::kIfAbsent) {
        const ByteView part = as_bytes(content);
        return storage_->put(key, {&part, 1}, mode);
    }
    size_t temporary_files() const {
        const fs::path temporary = root_ / kTemporarySegment;
        if (!fs::exists(temporary)) return 0;
        return static_cast<size_t>(std::distance(fs::directory_iterator(temporary), fs::directory_iterator()));
    }
    std::vector<std::string> keys() const {
        std::vector<std::string> found;
        const ListPage listed = storage_->list("").value();
        for (const ObjectInfo& object : listed.objects) found.push_back(object.key);
        return found;
    }

    TemporaryDirectory directory_;
    fs::path root_;
    std::unique_ptr<Storage> storage_;
};

/// Run `check` in a child that has given up root's rights; pass when it returns true.
void expect_as_ordinary_user(const std::function<bool()>& check) {
    if (::geteuid() != 0) {
        EXPECT_TRUE(check());
        return;
    }
    const pid_t child = ::fork();
    if (child == 0) ::_exit(::setgid(65534) == 0 && ::setuid(65534) == 0 && check() ? 0 : 1);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << "the child saw something else";
}

TEST_F(FileStorageTest, MakesPrivateFilesAndDirectories) {
    ASSERT_TRUE(put("a/b").ok());
    for (const auto& [path, mode] : {std::pair(root_, 0700), std::pair(root_ / "a", 0700), std::pair(root_ / "a/b", 0600)})
        EXPECT_EQ(static_cast<int>(fs::status(path).permissions()) & 0777, mode) << path;
}

TEST_F(FileStorageTest, LeavesNoTemporaryFileBehind) {
    ASSERT_TRUE(put("a").ok());
    ASSERT_TRUE(put("b", "x", PutMode::kReplace).ok());
    ASSERT_TRUE(put("b", "y", PutMode::kReplace).ok());
    EXPECT_EQ(*put("a"), PutOutcome::kAlreadyExists);
    EXPECT_FALSE(put("a/c").ok());
    EXPECT_EQ(temporary_files(), 0u);
}

TEST_F(FileStorageTest, HidesWhatIsNoObject) {
    ASSERT_TRUE(put("a/object").ok());
    fs::create_directories(root_ / "lost+found/x");
    fs::create_directories(root_ / "empty/deeper");
    std::ofstream(root_ / kTemporarySegment / "1.2.3") << "unfinished";
    std::ofstream(root_ / "not utf-8 \xFF") << "x";
    ASSERT_EQ(::mkfifo((root_ / "pipe").c_str(), 0600), 0);
    EXPECT_THAT(keys(), testing::ElementsAre("a/object"));
    EXPECT_EQ(storage_->read("pipe", 0, 1).error().code(), ErrorCode::wrong_state);
}

TEST_F(FileStorageTest, RemovesOnlyStaleUploads) {
    ASSERT_TRUE(put("object").ok());
    const fs::path stale = root_ / kTemporarySegment / "stale";
    const fs::path fresh = root_ / kTemporarySegment / "fresh";
    std::ofstream(stale) << "x";
    std::ofstream(fresh) << "x";
    const timespec times[] = {{1000, 0}, {1000, 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, stale.c_str(), times, 0), 0);
    ASSERT_TRUE(storage_->remove_stale_uploads(TimePoint(std::chrono::seconds(1001))).ok());
    EXPECT_FALSE(fs::exists(stale));
    EXPECT_TRUE(fs::exists(fresh));
}

TEST_F(FileStorageTest, MakesDirectoriesAgainThatHaveVanished) {
    ASSERT_TRUE(put("a/b/1").ok());
    fs::remove_all(root_ / "a");
    fs::remove_all(root_ / kTemporarySegment);
    EXPECT_EQ(*put("a/b/2"), PutOutcome::kCreated);
    EXPECT_THAT(keys(), testing::ElementsAre("a/b/2"));
}

TEST_F(FileStorageTest, RemovesDirectoriesWithTheirLastObject) {
    ASSERT_TRUE(put("a/b/1").ok());
    ASSERT_TRUE(put("a/2").ok());
    ASSERT_TRUE(storage_->remove("a/b/1").ok());
    EXPECT_FALSE(fs::exists(root_ / "a/b"));
    EXPECT_TRUE(fs::exists(root_ / "a"));
    ASSERT_TRUE(storage_->remove("a/2").ok());
    EXPECT_FALSE(fs::exists(root_ / "a"));
    EXPECT_TRUE(fs::exists(root_));
}

TEST_F(FileStorageTest, PutsAnObjectWhereAnEmptyDirectoryWasLeft) {
    fs::create_directory(root_ / "a");
    EXPECT_EQ(*put("a"), PutOutcome::kCreated);
    EXPECT_EQ(*put("a"), PutOutcome::kAlreadyExists);
}

TEST_F(FileStorageTest, FollowsLinksInsideTheTree) {
    fs::create_directory(root_ / "real");
    fs::create_directory_symlink(root_ / "real", root_ / "linked");
    ASSERT_TRUE(put("linked/k", "content").ok());
    EXPECT_EQ(as_text(*storage_->read("real/k", 0, 100)), "content");
    EXPECT_THAT(keys(), testing::ElementsAre("linked/k", "real/k"));
}

TEST_F(FileStorageTest, NeverTakesAnUnmountedRepositoryForAnEmptyOne) {
    ASSERT_TRUE(put("k").ok());
    fs::rename(root_, directory_.path() / "elsewhere");
    for (const bool mount_point_left : {false, true}) {
        if (mount_point_left) fs::create_directory(root_);
        EXPECT_EQ(storage_->stat("k").error().code(), ErrorCode::io_error);
        EXPECT_EQ(storage_->read("k", 0, 1).error().code(), ErrorCode::io_error);
        EXPECT_EQ(storage_->list("").error().code(), ErrorCode::io_error);
        EXPECT_EQ(storage_->remove("a/k").error().code(), ErrorCode::io_error);
        EXPECT_EQ(put("new").error().code(), ErrorCode::io_error);
    }
    EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(FileStorageTest, ReportsUnwritableDirectories) {
    ASSERT_TRUE(put("a/k").ok());
    for (const fs::path& path : {directory_.path(), root_, root_ / kTemporarySegment}) fs::permissions(path, fs::perms(0777));
    fs::permissions(root_ / "a", fs::perms(0555));
    expect_as_ordinary_user([&] {
        const auto outcome = put("a/new");
        return !outcome.ok() && outcome.error().code() == ErrorCode::permission_denied && outcome.error().object() == "a/new" &&
               !outcome.error().hint().empty() && temporary_files() == 0;
    });
}

TEST_F(FileStorageTest, ReportsUnreadableObjectsAsErrorsNotAsMissing) {
    ASSERT_TRUE(put("a/k").ok());
    for (const fs::path& path : {directory_.path(), root_}) fs::permissions(path, fs::perms(0777));
    fs::permissions(root_ / "a", fs::perms(0));
    expect_as_ordinary_user([&] {
        const auto denied = [](const auto& result) {
            return !result.ok() && result.error().code() == ErrorCode::permission_denied;
        };
        return denied(storage_->stat("a/k")) && denied(storage_->read("a/k", 0, 1)) && denied(storage_->list(""));
    });
    fs::permissions(root_ / "a", fs::perms(0700));
}

TEST_F(FileStorageTest, ReportsAFullDiskAndCleansUp) {
    const fs::path small = directory_.path() / "small";
    fs::create_directory(small);
    if (::mount("tmpfs", small.c_str(), "tmpfs", 0, "size=1m") != 0) {
        std::cerr << "NOT TESTED: a full disk, because no file system could be mounted here (needs root)\n";
        GTEST_SKIP() << "no right to mount";
    }
    {
        const auto storage = FileStorage::open(small).value();
        const std::string large(4u << 20, 'x');
        const ByteView part = as_bytes(large);
        const auto outcome = storage->put("d/large", {&part, 1}, PutMode::kIfAbsent);
        EXPECT_EQ(outcome.error().code(), ErrorCode::no_space);
        EXPECT_EQ(outcome.error().object(), "d/large");
        EXPECT_THAT(outcome.error().message(), HasSubstr("\"d/large\""));
        EXPECT_FALSE(outcome.error().hint().empty());
        EXPECT_TRUE(fs::is_empty(small / kTemporarySegment));
        const ByteView little = as_bytes("fits");
        EXPECT_TRUE(storage->put("d/little", {&little, 1}, PutMode::kIfAbsent).ok());
    }
    EXPECT_EQ(::umount(small.c_str()), 0);
}

TEST_F(FileStorageTest, ListsTensOfThousandsOfObjectsOverManyDirectories) {
    constexpr int kObjects = 20'000;
    for (int i = 0; i < kObjects; ++i) {
        const fs::path path = root_ / std::to_string(i % 40) / std::to_string(i);
        fs::create_directories(path.parent_path());
        std::ofstream(path).put('x');
    }
    int seen = 0;
    std::string last;
    ASSERT_TRUE(for_each_object(*storage_, "", [&](const ObjectInfo& object) -> Result<void> {
                    EXPECT_LT(last, object.key);
                    last = object.key;
                    ++seen;
                    return {};
                }).ok());
    EXPECT_EQ(seen, kObjects);
}

class FileStorageOpen : public testing::Test {
protected:
    static void expect_refused(const Result<std::unique_ptr<Storage>>& opened, ErrorCode code, std::string_view fault) {
        ASSERT_FALSE(opened.ok());
        EXPECT_EQ(opened.error().code(), code);
        EXPECT_THAT(opened.error().message(), HasSubstr(std::string(fault)));
        EXPECT_FALSE(opened.error().hint().empty());
    }
    TemporaryDirectory directory_;
};

TEST_F(FileStorageOpen, CreatesTheRootOnlyWhenAsked) {
    const fs::path root = directory_.path() / "new";
    expect_refused(FileStorage::open(root), ErrorCode::configuration, "it does not exist");
    EXPECT_FALSE(fs::exists(root));
    ASSERT_TRUE(FileStorage::open(root, {.create = true}).ok());
    EXPECT_TRUE(FileStorage::open(root).ok());
    EXPECT_TRUE(fs::is_empty(root));
}

TEST_F(FileStorageOpen, RefusesWhatCannotBeARepository) {
    std::ofstream(directory_.path() / "file") << "x";
    for (const bool create : {false, true}) {
        expect_refused(FileStorage::open(directory_.path() / "file", {.create = create}), ErrorCode::configuration,
                       "it is not a directory");
        expect_refused(FileStorage::open("relative/path", {.create = create}), ErrorCode::configuration, "not an absolute path");
    }
    expect_refused(FileStorage::open(directory_.path() / "file/below"), ErrorCode::configuration,
                   "part of its path is not a directory");
    expect_refused(FileStorage::open(directory_.path() / "no/such", {.create = true}), ErrorCode::configuration,
                   "parent directory does not exist");
    EXPECT_FALSE(fs::exists(directory_.path() / "no"));
}

TEST_F(FileStorageOpen, NeedsWriteAccessOnlyForWriting) {
    const fs::path root = directory_.path() / "root";
    fs::create_directory(root);
    fs::permissions(directory_.path(), fs::perms(0755));
    fs::permissions(root, fs::perms(0555));
    expect_as_ordinary_user([&] {
        const auto opened = FileStorage::open(root);
        return !opened.ok() && opened.error().code() == ErrorCode::permission_denied && !opened.error().hint().empty() &&
               FileStorage::open(root, {.access = StorageAccess::kReadOnly}).ok();
    });
}

}  // namespace
}  // namespace steward
