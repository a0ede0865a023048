#include "core/backup/copy.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "backup/test_repository.h"
#include "base/test_processor_meter.h"
#include "base/temporary_directory.h"
#include "core/base/file.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/page.h"

namespace steward {
namespace {

constexpr Lsn kStart{0x5000000};

/// Pages of a relation whose LSNs are before the backup's start; valid as blocks `first_block` and following.
std::string make_pages(size_t count, uint32_t first_block = 0, Lsn lsn = kStart - 1000) {
    std::mt19937 random(static_cast<unsigned>(count));
    Bytes pages(count * kPageSize);
    for (std::byte& byte : pages) byte = std::byte(random() % 8);
    for (size_t i = 0; i < count; ++i) {
        const MutableByteView page = MutableByteView(pages).subspan(i * kPageSize, kPageSize);
        store_le<uint32_t>(page.data(), static_cast<uint32_t>(lsn.value >> 32));
        store_le<uint32_t>(page.data() + 4, static_cast<uint32_t>(lsn.value));
        store_le<uint16_t>(page.data() + 14, 8192);
        store_le<uint16_t>(page.data() + 8, page_checksum(page, first_block + static_cast<uint32_t>(i)));
    }
    return std::string(as_text(pages));
}

class CopyFiles : public testing::Test {
protected:
    CopyFiles() {
        options_.data_directory = directory_.path();
        options_.control.data_checksum_version = 1;
        options_.control.page_size = kPageSize;
        options_.control.pages_per_relation_segment = 131072;
        options_.start_lsn = kStart;
        options_.workers = 2;
        options_.pack_set = "set";
    }

    void write(const std::string& path, const std::string& content) {
        std::filesystem::create_directories((directory_.path() / path).parent_path());
        ASSERT_TRUE(write_file_durably(directory_.path() / path, as_bytes(content)).ok());
        sources_[path] = content;
    }

    Result<CopiedFiles> copy(const CancelToken& cancel = {}) {
        files_.clear();
        for (const auto& [path, content] : sources_) files_.push_back({.path = path, .size = content.size(), .mode = 0640, .modified = {}});
        // A small target, so that files are cut.
        plan_ = plan_copy(files_, {}, options_.workers, 64 * kPageSize);
        return copy_files(options_, {files_, {}}, plan_, repository_.all(), counters_, log_, cancel);
    }

    void expect_copied(const CopiedFiles& copied, const ManifestFile& file, const std::string& content) {
        EXPECT_TRUE(repository_.read_back(file, copied.packs) == content) << file.path;
        EXPECT_EQ(file.crc32c, crc32c(as_bytes(content))) << file.path;
        EXPECT_EQ(file.mode, 0640u);
    }

    /// Do `change` before the first read of `path` at or after `offset`.
    void before_reading(const std::string& path, uint64_t offset, std::function<void()> change) {
        auto done = std::make_shared<std::atomic<bool>>(false);
        options_.read = [=, this](int fd, uint64_t at, MutableByteView into, const std::filesystem::path& where) -> Result<size_t> {
            if (where == directory_.path() / path && at >= offset && !done->exchange(true)) change();
            return read_at(fd, at, into, where);
        };
    }

    TemporaryDirectory directory_;
    TestRepository repository_;
    std::map<std::string, std::string> sources_;
    std::vector<ScannedFile> files_;
    CopyPlan plan_;
    CopyOptions options_;
    CopyCounters counters_;
    NullLog log_;
};

TEST_F(CopyFiles, StoresEveryFileSoThatItReadsBackTheSame) {
    write("PG_VERSION", "17\n");
    write("base/5/1", make_pages(1));
    write("base/5/2", make_pages(500));
    write("base/5/2.1", make_pages(70, 131072));
    write("base/5/3", "");
    write("pg_xact/0000", std::string(100001, 'x'));
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    ASSERT_EQ(copied->files.size(), sources_.size());
    for (const ManifestFile& file : copied->files) expect_copied(*copied, file, sources_.at(file.path));
    EXPECT_TRUE(copied->bad_pages.empty());
    EXPECT_EQ(counters_.bytes_done, copied->data_bytes());
    uint64_t stored = 0;
    for (const ManifestPack& pack : copied->packs) stored += pack.stored;
    EXPECT_EQ(counters_.repository_bytes, stored);
    EXPECT_GT(copied->packs.size(), 5u);
}

TEST_F(CopyFiles, WorksInSmallStepsAtAConsideratePace) {
    TestProcessorMeter meter;
    ProcessorShare share(1, meter);
    options_.pace = Pace::considerate(share);
    std::atomic<size_t> largest = 0;
    options_.read = [&](int fd, uint64_t at, MutableByteView into, const std::filesystem::path& where) {
        for (size_t seen = largest; into.size() > seen && !largest.compare_exchange_weak(seen, into.size());) {}
        return read_at(fd, at, into, where);
    };
    write("base/5/1", make_pages(300));
    write("pg_xact/0000", std::string(300001, 'x'));
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    for (const ManifestFile& file : copied->files) expect_copied(*copied, file, sources_.at(file.path));
    EXPECT_EQ(largest, Pace::kLightStep);
    // Each byte is read, digested and, in smaller steps, compressed.
    EXPECT_GE(meter.yields(), copied->data_bytes() / Pace::kLightStep * 2 + copied->data_bytes() / Pace::kHeavyStep);
}

TEST_F(CopyFiles, PutsPacksIntoEveryRepository) {
    SystemClock clock;
    Result<Repository> second = Repository::open_or_claim(std::make_unique<MemoryStorage>(clock), "main", repository_.one().identity(), clock);
    Result<Repository> third = Repository::open_or_claim(std::make_unique<MemoryStorage>(clock), "main", repository_.one().identity(), clock);
    std::vector<Repository> both;
    both.push_back(std::move(second).value());
    both.push_back(std::move(third).value());
    write("base/5/1", make_pages(200));
    ASSERT_TRUE(copy().ok());
    const Result<CopiedFiles> copied = copy_files(options_, {files_, {}}, plan_, both, counters_, log_, {});
    ASSERT_TRUE(copied.ok());
    for (const Repository& repository : both)
        for (const ManifestPack& pack : copied->packs)
            EXPECT_TRUE(repository.load(repository.layout().pack(pack.set, pack.number), ObjectKind::kPack).ok());
}

TEST_F(CopyFiles, EndsAFileThatWasTruncatedMeanwhileWhereItEnded) {
    write("base/5/1", make_pages(10));
    write("base/5/2", make_pages(40));
    before_reading("base/5/2", 0, [this] { ASSERT_EQ(::truncate((directory_.path() / "base/5/2").c_str(), 5 * kPageSize + 100), 0); });
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    ASSERT_EQ(copied->files.size(), 2u);
    EXPECT_EQ(copied->files[1].size, 5 * kPageSize + 100);
    expect_copied(*copied, copied->files[0], sources_["base/5/1"]);
    expect_copied(*copied, copied->files[1], sources_["base/5/2"].substr(0, 5 * kPageSize + 100));
    EXPECT_EQ(counters_.bytes_done, plan_.bytes);
}

TEST_F(CopyFiles, LeavesZerosWhereAFileWasShorterForAMoment) {
    options_.workers = 1;
    const std::string content = make_pages(1000);
    write("base/5/1", content);
    ASSERT_TRUE(copy().ok());
    const uint64_t second = plan_.packs.front().pieces.front().length;
    ASSERT_GT(plan_.packs.size(), 2u);
    const uint64_t third = second + plan_.packs[1].pieces.front().length;
    options_.pack_set = "another";
    // The second piece finds the file truncated, the third one finds it extended again.
    options_.read = [=](int fd, uint64_t at, MutableByteView into, const std::filesystem::path& where) -> Result<size_t> {
        if (at >= second && at < third) return 0;
        return read_at(fd, at, into, where);
    };
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    std::string expected = content;
    std::fill(expected.begin() + static_cast<std::ptrdiff_t>(second), expected.begin() + static_cast<std::ptrdiff_t>(third), '\0');
    expect_copied(*copied, copied->files.at(0), expected);
}

TEST_F(CopyFiles, LeavesOutAFileThatVanished) {
    write("base/5/1", make_pages(3));
    write("base/5/2", make_pages(300));
    write("base/5/3", make_pages(3));
    before_reading("base/5/1", 0, [this] { std::filesystem::remove(directory_.path() / "base/5/2"); });
    options_.workers = 1;
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    ASSERT_EQ(copied->files.size(), 2u);
    EXPECT_EQ(copied->files[0].path, "base/5/1");
    EXPECT_EQ(copied->files[1].path, "base/5/3");
    EXPECT_EQ(counters_.bytes_done, plan_.bytes);
}

TEST_F(CopyFiles, CopiesConfigurationThatGrewToItsEnd) {
    write("postgresql.auto.conf", "work_mem = '4MB'\n");
    const std::string rewritten = "work_mem = '4MB'\nmaintenance_work_mem = '64MB'\n";
    ASSERT_TRUE(write_file_durably(directory_.path() / "postgresql.auto.conf", as_bytes(rewritten)).ok());
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    expect_copied(*copied, copied->files.at(0), rewritten);
}

TEST_F(CopyFiles, FindsAndCountsDamagedPages) {
    std::string content = make_pages(100);
    content[7 * kPageSize + 4000] ^= 1;
    content[99 * kPageSize + 30] ^= 1;
    write("base/5/1", content);
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    ASSERT_EQ(copied->bad_pages.size(), 2u);
    EXPECT_EQ(copied->bad_pages[0].path, "base/5/1");
    EXPECT_EQ(copied->bad_pages[0].block_number, 7u);
    EXPECT_EQ(copied->bad_pages[1].block_number, 99u);
    expect_copied(*copied, copied->files.at(0), content);
}

TEST_F(CopyFiles, CountsBlocksOfLaterSegmentsFromTheRelationsBeginning) {
    write("base/5/1.2", make_pages(10, 2 * 131072));
    write("base/5/2.2", make_pages(1, 0));
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    ASSERT_EQ(copied->bad_pages.size(), 1u);
    EXPECT_EQ(copied->bad_pages[0].path, "base/5/2.2");
    EXPECT_EQ(copied->bad_pages[0].block_number, 2u * 131072);
}

TEST_F(CopyFiles, ReadsATornPageAgain) {
    const std::string content = make_pages(100);
    write("base/5/1", content);
    std::atomic<int> reads_of_page{0};
    options_.read = [&](int fd, uint64_t at, MutableByteView into, const std::filesystem::path& where) -> Result<size_t> {
        TRY_ASSIGN(const size_t n, read_at(fd, at, into, where));
        constexpr uint64_t kTorn = 20 * kPageSize;
        // The first two readings find the second half of the page as it was before.
        if (at <= kTorn && kTorn < at + n && reads_of_page++ < 2) into[kTorn - at + kPageSize / 2] ^= std::byte{1};
        return n;
    };
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    EXPECT_EQ(reads_of_page, 3);
    EXPECT_TRUE(copied->bad_pages.empty());
    expect_copied(*copied, copied->files.at(0), content);
}

TEST_F(CopyFiles, AcceptsATornPageThatReplayRestores) {
    std::string content = make_pages(10, 0, kStart);
    content[3 * kPageSize + 5000] ^= 1;
    write("base/5/1", content);
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    EXPECT_TRUE(copied->bad_pages.empty());
}

TEST_F(CopyFiles, DoesNotJudgePagesOfAClusterWithoutChecksums) {
    options_.control.data_checksum_version = 0;
    write("base/5/1", std::string(5 * kPageSize, 'x'));
    const Result<CopiedFiles> copied = copy();
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    EXPECT_TRUE(copied->bad_pages.empty());
}

TEST_F(CopyFiles, StopsWhenCancelled) {
    write("base/5/1", make_pages(300));
    CancelSource source;
    before_reading("base/5/1", 100 * kPageSize, [&] { source.request_stop(); });
    const Result<CopiedFiles> copied = copy(source.get_token());
    ASSERT_FALSE(copied.ok());
    EXPECT_EQ(copied.error().code(), ErrorCode::cancelled);
}

TEST_F(CopyFiles, FailsWithTheStoresError) {
    write("base/5/1", make_pages(500));
    // The first put was the identity's.
    repository_.faults().fail(StorageOperation::kPut, 4, Error(ErrorCode::no_space, "the disk is full"));
    const Result<CopiedFiles> copied = copy();
    ASSERT_FALSE(copied.ok());
    EXPECT_EQ(copied.error().code(), ErrorCode::no_space);
}

TEST_F(CopyFiles, NamesTheFileItCannotRead) {
    write("base/5/1", make_pages(1));
    options_.read = [](int, uint64_t, MutableByteView, const std::filesystem::path& where) -> Result<size_t> {
        return Error::from_errno(EIO, "could not read file \"" + where.native() + "\"").object(where.native());
    };
    const Result<CopiedFiles> copied = copy();
    ASSERT_FALSE(copied.ok());
    EXPECT_EQ(copied.error().object(), (directory_.path() / "base/5/1").native());
}

}  // namespace
}  // namespace steward
