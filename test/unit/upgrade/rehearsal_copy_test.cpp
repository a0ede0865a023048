#include "program/upgrade/rehearsal_copy.h"

#include <gtest/gtest.h>

#include <fstream>
#include <optional>
#include <string>

#include "base/temporary_directory.h"
#include "core/base/file.h"
#include "core/postgres/configuration.h"
#include "program/upgrade/disk_use.h"
#include "program/upgrade/page_cache.h"

namespace steward {
namespace {

namespace fs = std::filesystem;

void put(const fs::path& file, const std::string& content) {
    fs::create_directories(file.parent_path());
    std::ofstream(file, std::ios::binary) << content;
}

std::string read(const fs::path& file) {
    const auto content = read_file(file);
    return content.ok() ? std::string(as_text(*content)) : "nothing";
}

class RehearsalCopyTest : public testing::Test {
protected:
    RehearsalCopyTest() {
        fs::create_directories(cluster_ / "pg_tblspc");
        fs::create_directories(cluster_ / "pg_wal");
        put(cluster_ / "PG_VERSION", "15\n");
        put(cluster_ / "base/1/1259", "relation");
        auto taken = ScratchDirectory::take(top_.path() / "main.rehearsal", {"rehearsal", "Wait.", "go elsewhere"});
        if (taken.ok()) scratch_.emplace(std::move(taken).value());
    }

    Result<CopiedTree> copy() { return copy_cluster(directories_of(cluster_, 15, *scratch_), *scratch_, never_.get_token()); }
    fs::path copied(const fs::path& name) const { return scratch_->data_directory() / name; }

    TemporaryDirectory top_;
    const fs::path cluster_ = fs::canonical(top_.path()) / "main";
    std::optional<ScratchDirectory> scratch_;
    CancelSource never_;
};

TEST_F(RehearsalCopyTest, GivesTheCopyTablespacesOfItsOwn) {
    const fs::path location = top_.path() / "fast";
    put(location / "PG_15_202209061/5/16384", "rows");
    put(location / "PG_18_202506291/5/16384", "another cluster's");
    fs::create_directory_symlink(location, cluster_ / "pg_tblspc/16400");
    ASSERT_TRUE(copy().ok());
    EXPECT_EQ(fs::read_symlink(copied("pg_tblspc/16400")), scratch_->tablespaces() / "16400");
    EXPECT_EQ(read(copied("pg_tblspc/16400/PG_15_202209061/5/16384")), "rows");
    // It is in the way of an upgrade, and nothing more is wanted of it.
    EXPECT_TRUE(fs::is_empty(copied("pg_tblspc/16400/PG_18_202506291")));
    put(copied("pg_tblspc/16400/PG_15_202209061/5/16384"), "written");
    EXPECT_EQ(read(location / "PG_15_202209061/5/16384"), "rows");
}

TEST_F(RehearsalCopyTest, GivesTheCopyAWalDirectoryOfItsOwn) {
    fs::remove(cluster_ / "pg_wal");
    put(top_.path() / "wal/000000010000000000000001", "wal");
    fs::create_directory_symlink(top_.path() / "wal", cluster_ / "pg_wal");
    ASSERT_TRUE(copy().ok());
    EXPECT_EQ(fs::read_symlink(copied("pg_wal")), scratch_->file("wal"));
    EXPECT_EQ(read(copied("pg_wal/000000010000000000000001")), "wal");
}

TEST_F(RehearsalCopyTest, CopiesWhatOtherLinksLeadTo) {
    put(top_.path() / "etc/hba", "local all all peer\n");
    put(top_.path() / "logs/today", "log");
    fs::create_symlink(top_.path() / "etc/hba", cluster_ / "pg_hba.conf");
    fs::create_directory_symlink(top_.path() / "logs", cluster_ / "log");
    fs::create_symlink("/nowhere/at/all", cluster_ / "dangling");
    ASSERT_TRUE(copy().ok());
    EXPECT_FALSE(fs::is_symlink(copied("pg_hba.conf")));
    EXPECT_EQ(read(copied("pg_hba.conf")), "local all all peer\n");
    EXPECT_FALSE(fs::is_symlink(copied("log")));
    EXPECT_EQ(read(copied("log/today")), "log");
    EXPECT_FALSE(fs::exists(fs::symlink_status(copied("dangling"))));
}

TEST_F(RehearsalCopyTest, LeadsLinksIntoTheClusterIntoTheCopy) {
    put(cluster_ / "inner/PG_15_202209061/5/16384", "rows");
    fs::create_directory_symlink(cluster_ / "inner", cluster_ / "pg_tblspc/16400");
    ASSERT_TRUE(copy().ok());
    EXPECT_EQ(fs::read_symlink(copied("pg_tblspc/16400")), copied("inner"));
    EXPECT_EQ(read(copied("pg_tblspc/16400/PG_15_202209061/5/16384")), "rows");
}

TEST_F(RehearsalCopyTest, RefusesLinksThatItCannotFollow) {
    fs::create_directory_symlink("..", cluster_ / "up");
    auto made = copy();
    ASSERT_FALSE(made.ok());
    EXPECT_EQ(made.error().code(), ErrorCode::wrong_state);
    EXPECT_NE(made.error().detail().find("holds the data directory"), std::string::npos);
}

TEST_F(RehearsalCopyTest, KeepsTheCopyFromTheWorld) {
    put(cluster_ / "postgresql.auto.conf", "work_mem = '7MB'\narchive_mode = 'on'\n");
    ASSERT_TRUE(isolate_copy(cluster_).ok());
    const auto settings = read_configuration_file(cluster_ / "postgresql.auto.conf");
    ASSERT_TRUE(settings.ok());
    EXPECT_EQ(settings->at("archive_mode"), "off");
    EXPECT_EQ(settings->at("steward.repository"), "");
    EXPECT_EQ(settings->at("work_mem"), "7MB");
}

TEST(DiskUseTest, CountsAFileOnceWhateverNamesItHas) {
    const TemporaryDirectory top;
    put(top.path() / "old/1", std::string(100'000, 'x'));
    put(top.path() / "old/2", std::string(100'000, 'y'));
    fs::create_directories(top.path() / "new");
    DiskUse before;
    before.add(top.path());
    fs::create_hard_link(top.path() / "old/1", top.path() / "new/1");
    DiskUse after;
    after.add(top.path());
    EXPECT_GE(before.taken(), 200'000U);
    EXPECT_LT(after.taken(), before.taken() + 20'000);
    DiskUse old;
    old.add(top.path() / "old");
    EXPECT_GE(old.taken(), 200'000U);
    EXPECT_GE(old.given_back(), 100'000U) << "the file with one name";
    EXPECT_LT(old.given_back(), 150'000U) << "the other one stays";
}

TEST(PageCacheTest, SeesFilesBelowADirectoryInChunks) {
    const TemporaryDirectory top;
    put(top.path() / "base/1/1259", std::string(3 * kCacheChunk + 1, 'x'));
    put(top.path() / "empty", "");
    const CachedChunks chunks = look_at_cache(top.path());
    ASSERT_EQ(chunks.size(), 2U);
    // It was just written.
    EXPECT_EQ(chunks.at("base/1/1259"), std::vector<bool>(4, true));
    EXPECT_TRUE(chunks.at("empty").empty());
    imitate_cache(top.path(), {});
    imitate_cache(top.path(), chunks);
    EXPECT_EQ(read(top.path() / "base/1/1259").size(), 3 * kCacheChunk + 1);
}

}  // namespace
}  // namespace steward
