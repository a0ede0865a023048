#include "core/backup/scan.h"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include "base/temporary_directory.h"
#include "core/base/file.h"

namespace steward {
namespace {

namespace fs = std::filesystem;

class RecordingLog final : public Log {
public:
    void write(const LogRecord& record) override { records.push_back(record); }
    std::vector<LogRecord> records;
};

class ScanDataDirectory : public testing::Test {
protected:
    ScanDataDirectory() {
        make("global/pg_control", "control");
        make("PG_VERSION", "17\n");
    }

    fs::path data() const { return directory_.path() / "data"; }
    void make(const std::string& path, const std::string& content = "") { make_at(data() / path, content); }
    void make_at(const fs::path& path, const std::string& content = "") {
        fs::create_directories(path.parent_path());
        ASSERT_TRUE(write_file_durably(path, as_bytes(content)).ok());
    }
    Result<ScannedTree> scan(const CancelToken& cancel = {}) { return scan_data_directory(data(), "PG_17_202406281", log_, cancel); }

    static std::vector<std::string> paths(const ScannedTree& tree) {
        std::vector<std::string> found;
        for (const ScannedFile& file : tree.files) found.push_back(file.path);
        return found;
    }
    static std::vector<std::string> directories(const ScannedTree& tree) {
        std::vector<std::string> found;
        for (const ManifestDirectory& directory : tree.directories) found.push_back(directory.path);
        return found;
    }

    TemporaryDirectory directory_;
    RecordingLog log_;
};

using Names = std::vector<std::string>;

TEST_F(ScanDataDirectory, ListsFilesInOrderAndTheControlFileApart) {
    make("base/5/1259", "12345");
    make("base/5/1249");
    ::chmod((data() / "base/5/1259").c_str(), 0640);
    const Result<ScannedTree> tree = scan();
    ASSERT_TRUE(tree.ok()) << tree.error().to_string();
    EXPECT_EQ(paths(*tree), (Names{"PG_VERSION", "base/5/1249", "base/5/1259"}));
    EXPECT_EQ(directories(*tree), (Names{"base", "base/5", "global"}));
    EXPECT_EQ(tree->control_file.path, "global/pg_control");
    EXPECT_EQ(tree->files[2].size, 5u);
    EXPECT_EQ(tree->files[2].mode, 0640u);
    EXPECT_EQ(tree->bytes(), 7u + 3 + 5);
}

TEST_F(ScanDataDirectory, LeavesOutWhatTheServersOwnBackupLeavesOut) {
    for (const char* path : {"postmaster.pid", "backup_label", "tablespace_map", "backup_manifest", "base/pgsql_tmp/pgsql_tmp1.0", "base/5/t3_16385",
                             "pg_stat_tmp/x", "pg_replslot/s/state", "pg_wal/000000010000000000000001", "pg_wal/archive_status/x.ready"})
        make(path);
    const Result<ScannedTree> tree = scan();
    ASSERT_TRUE(tree.ok()) << tree.error().to_string();
    EXPECT_EQ(paths(*tree), Names{"PG_VERSION"});
    EXPECT_EQ(directories(*tree), (Names{"base", "base/5", "global", "pg_replslot", "pg_stat_tmp", "pg_wal", "pg_wal/archive_status"}));
}

TEST_F(ScanDataDirectory, LeavesOutUnloggedRelationsButTheirInitForks) {
    for (const char* path : {"base/5/100", "base/5/100.1", "base/5/100_fsm", "base/5/100_init", "base/5/101"}) make(path);
    const Result<ScannedTree> tree = scan();
    ASSERT_TRUE(tree.ok()) << tree.error().to_string();
    EXPECT_EQ(paths(*tree), (Names{"PG_VERSION", "base/5/100_init", "base/5/101"}));
}

TEST_F(ScanDataDirectory, FollowsTablespacesAndTakesOnlyTheClustersOwnPart) {
    const fs::path outside = directory_.path() / "fast";
    make_at(outside / "PG_17_202406281/5/200", "x");
    make_at(outside / "PG_16_202307071/5/200", "of another cluster");
    make("pg_tblspc/16385/PG_17_202406281/5/300", "in place");
    fs::create_directory_symlink(outside, data() / "pg_tblspc/16384");
    const Result<ScannedTree> tree = scan();
    ASSERT_TRUE(tree.ok()) << tree.error().to_string();
    EXPECT_EQ(paths(*tree), (Names{"PG_VERSION", "pg_tblspc/16384/PG_17_202406281/5/200", "pg_tblspc/16385/PG_17_202406281/5/300"}));
    ASSERT_EQ(tree->tablespaces.size(), 2u);
    EXPECT_EQ(tree->tablespaces[0].oid, 16384u);
    EXPECT_EQ(tree->tablespaces[0].location, outside.native());
    EXPECT_EQ(tree->tablespaces[1].location, "");
}

TEST_F(ScanDataDirectory, FailsWhenATablespaceIsLost) {
    fs::create_directories(data() / "pg_tblspc");
    fs::create_directory_symlink(directory_.path() / "gone", data() / "pg_tblspc/16384");
    const Result<ScannedTree> tree = scan();
    ASSERT_FALSE(tree.ok());
    EXPECT_EQ(tree.error().object(), (directory_.path() / "gone").native());
}

TEST_F(ScanDataDirectory, TakesTheWalDirectoryBehindALinkAsAPlainOne) {
    fs::create_directories(directory_.path() / "wal/archive_status");
    make_at(directory_.path() / "wal/000000010000000000000001");
    fs::create_directory_symlink(directory_.path() / "wal", data() / "pg_wal");
    const Result<ScannedTree> tree = scan();
    ASSERT_TRUE(tree.ok()) << tree.error().to_string();
    EXPECT_EQ(directories(*tree), (Names{"global", "pg_wal", "pg_wal/archive_status"}));
    EXPECT_TRUE(log_.records.empty());
}

TEST_F(ScanDataDirectory, WarnsOfLinksAndSpecialFilesItSkips) {
    fs::create_symlink("/etc/hostname", data() / "link");
    ASSERT_EQ(::mkfifo((data() / "fifo").c_str(), 0600), 0);
    const Result<ScannedTree> tree = scan();
    ASSERT_TRUE(tree.ok()) << tree.error().to_string();
    EXPECT_EQ(paths(*tree), Names{"PG_VERSION"});
    EXPECT_EQ(log_.records.size(), 2u);
}

TEST_F(ScanDataDirectory, RefusesADirectoryWithoutControlFile) {
    fs::remove(data() / "global/pg_control");
    const Result<ScannedTree> tree = scan();
    ASSERT_FALSE(tree.ok());
    EXPECT_EQ(tree.error().code(), ErrorCode::not_found);
}

}  // namespace
}  // namespace steward
