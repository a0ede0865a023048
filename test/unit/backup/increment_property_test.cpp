// Random histories of a data directory, with backups that go on from each other: every backup reads back as the directory was, whatever
// other backups were deleted.

#include <fcntl.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "backup/test_repository.h"
#include "base/temporary_directory.h"
#include "core/backup/copy.h"
#include "core/backup/increment.h"
#include "core/base/file.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/page.h"
#include "postgres/wal_summary_writer.h"

namespace steward {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kPagesPerSegment = 16;
/// The one byte of a page that changes without a trace, as hint bits do where they are not logged.
constexpr size_t kHintByte = 100;

class RandomCluster {
public:
    explicit RandomCluster(unsigned seed) : random_(seed) {
        for (uint32_t relation = 1; relation <= 6; ++relation) create(relation);
        change_other_files();
    }

    const fs::path& path() const { return directory_.path(); }
    Lsn lsn() const { return Lsn{lsn_}; }

    /// What the server would have written into WAL summaries since the last call.
    Bytes take_summary() { return std::exchange(summary_, {}).content(); }

    void live() {
        for (int i = below(40); i >= 0; --i) {
            const uint32_t relation = 1 + below(6);
            switch (below(12)) {
                case 0: truncate(relation); break;
                case 1: drop_and_create(relation); break;
                case 2: copy_database(); break;
                case 3: remove_database(); break;
                case 4: change_other_files(); break;
                case 5: change_map(relation); break;
                case 6: extend(relation); break;
                case 7: set_hint(relation); break;
                default: write_page(relation);
            }
        }
    }

    /// The directory as it is now, by path.
    std::map<std::string, std::string> content() const {
        std::map<std::string, std::string> files;
        for (const fs::directory_entry& entry : fs::recursive_directory_iterator(path()))
            if (entry.is_regular_file())
                files[fs::relative(entry.path(), path()).native()] = as_text(*read_file(entry.path()));
        return files;
    }

    uint32_t below(uint32_t n) { return static_cast<uint32_t>(random_() % n); }

private:
    static std::string name(uint32_t relation, uint32_t segment, const char* database = "5") {
        return "base/" + std::string(database) + "/" + std::to_string(relation) + (segment == 0 ? "" : "." + std::to_string(segment));
    }
    static RelationFile main_fork(uint32_t relation) { return {.tablespace = kDefaultTablespace, .database = 5, .relation_number = relation}; }

    std::string make_page() {
        std::string page(kPageSize, '\0');
        for (int i = 0; i < 20; ++i) page[24 + below(kPageSize - 24)] = static_cast<char>(random_());
        set_lsn(page);
        return page;
    }
    void set_lsn(std::string& page) {
        lsn_ += 8 + below(1000) * 8;
        store_le(reinterpret_cast<std::byte*>(page.data()), static_cast<uint32_t>(lsn_ >> 32));
        store_le(reinterpret_cast<std::byte*>(page.data()) + 4, static_cast<uint32_t>(lsn_));
    }

    void put(const std::string& file, uint64_t offset, const std::string& content) {
        fs::create_directories((path() / file).parent_path());
        const UniqueFd fd = open_file(path() / file, O_WRONLY | O_CREAT).value();
        ASSERT_TRUE(write_at(fd.get(), offset, as_bytes(content), path() / file).ok());
    }
    void put_block(uint32_t relation, uint32_t block, const std::string& page) {
        put(name(relation, block / kPagesPerSegment), uint64_t{block % kPagesPerSegment} * kPageSize, page);
    }

    void create(uint32_t relation) {
        summary_.limit(main_fork(relation), 0);
        blocks_[relation] = 0;
        put(name(relation, 0), 0, "");
        for (uint32_t n = below(40); n > 0; --n) extend(relation);
    }
    void extend(uint32_t relation) {
        const uint32_t block = blocks_[relation]++;
        // The server may add pages without a word in WAL; they are zero until someone writes to them.
        if (below(5) == 0) return put_block(relation, block, std::string(kPageSize, '\0'));
        put_block(relation, block, make_page());
        summary_.touch(main_fork(relation), block);
    }
    void write_page(uint32_t relation) {
        if (blocks_[relation] == 0) return extend(relation);
        const uint32_t block = below(blocks_[relation]);
        put_block(relation, block, make_page());
        summary_.touch(main_fork(relation), block);
    }
    void set_hint(uint32_t relation) {
        if (blocks_[relation] == 0) return;
        const uint32_t block = below(blocks_[relation]);
        put(name(relation, block / kPagesPerSegment), uint64_t{block % kPagesPerSegment} * kPageSize + kHintByte, std::string(1, static_cast<char>(random_())));
    }
    void truncate(uint32_t relation) {
        const uint32_t blocks = below(blocks_[relation] + 1);
        summary_.limit(main_fork(relation), blocks);
        for (uint32_t segment = blocks_[relation] / kPagesPerSegment; segment > blocks / kPagesPerSegment; --segment) fs::remove(path() / name(relation, segment));
        fs::resize_file(path() / name(relation, blocks / kPagesPerSegment), uint64_t{blocks % kPagesPerSegment} * kPageSize);
        blocks_[relation] = blocks;
    }
    void drop_and_create(uint32_t relation) {
        for (uint32_t segment = 0; segment <= blocks_[relation] / kPagesPerSegment; ++segment) fs::remove(path() / name(relation, segment));
        create(relation);
    }
    /// CREATE DATABASE ... STRATEGY file_copy: pages with old LSNs at paths where others may have been, and no word about blocks.
    void copy_database() {
        remove_database();
        summary_.new_database(kDefaultTablespace, 6);
        fs::create_directories(path() / "base/6");
        for (const fs::directory_entry& entry : fs::directory_iterator(path() / "base/5"))
            if (below(3) != 0) fs::copy_file(entry.path(), path() / "base/6" / entry.path().filename());
        // Its files are other relations' than those of the same names before.
        const fs::path a = path() / name(1, 0, "6"), b = path() / name(2, 0, "6");
        if (fs::exists(a) && fs::exists(b)) {
            fs::rename(a, path() / "base/6/swap");
            fs::rename(b, a);
            fs::rename(path() / "base/6/swap", b);
        }
    }
    void remove_database() { fs::remove_all(path() / "base/6"); }
    void change_map(uint32_t relation) {
        for (const char* fork : {"_vm", "_fsm"}) {
            const std::string file = name(relation, 0) + fork;
            if (below(2) == 0) put(file, below(3) * kPageSize, std::string(kPageSize, static_cast<char>(random_())));
            if (below(9) == 0) fs::remove(path() / file);
        }
    }
    void change_other_files() {
        put("pg_xact/0000", below(20) * 1000, std::string(500, static_cast<char>(random_())));
        fs::resize_file(path() / "pg_xact/0000", 4 * kPageSize);
        put("global/pg_filenode.map", below(400), std::string(100, static_cast<char>(random_())));
        put("postgresql.auto.conf", 0, std::string(1 + below(300), static_cast<char>('a' + below(26))));
        if (below(3) == 0) put("server.log", 0, std::string(300000 + below(1000), static_cast<char>(random_())));
    }

    TemporaryDirectory directory_;
    std::mt19937_64 random_;
    uint64_t lsn_ = 0x1000000;
    std::map<uint32_t, uint32_t> blocks_;  ///< of each relation
    WalSummaryWriter summary_;
};

struct TakenBackup {
    Manifest manifest;
    std::map<std::string, std::string> reference;
    bool hints_may_differ = false;
    size_t interval = 0;  ///< summaries before this one are older than it
};

enum class Mode { kAlone, kCompare, kSummaries };

class IncrementHistory {
public:
    explicit IncrementHistory(unsigned seed) : cluster_(seed) {}

    void run(int rounds) {
        for (int round = 0; round < rounds && !testing::Test::HasFailure(); ++round) {
            cluster_.live();
            back_up(static_cast<Mode>(cluster_.below(7) == 0 ? 0 : 1 + cluster_.below(2)));
            while (backups_.size() > 1 + cluster_.below(6)) forget(cluster_.below(static_cast<uint32_t>(backups_.size())));
            for (const TakenBackup& backup : backups_) check(backup);
        }
        EXPECT_GT(reused_runs_, 100u);
    }

private:
    void back_up(Mode mode) {
        summaries_.push_back(cluster_.take_summary());
        TakenBackup backup{.manifest = {}, .reference = cluster_.content(), .hints_may_differ = false, .interval = summaries_.size()};
        std::vector<ScannedFile> files;
        for (const auto& [path, content] : backup.reference) files.push_back({.path = path, .size = content.size(), .mode = 0600, .modified = {}});

        IncrementBase base;
        std::vector<FileTreatment> treatments;
        ChangedBlocks changes;
        if (mode != Mode::kAlone && !backups_.empty()) {
            // Not always the newest: a backup may have been deleted.
            const TakenBackup& before = backups_[cluster_.below(3) == 0 ? cluster_.below(static_cast<uint32_t>(backups_.size())) : backups_.size() - 1];
            base.manifest = before.manifest;
            base.usable = find_sparse_packs(base.manifest, cluster_.below(2) * 100 * kPageSize);
            base.usable.flip();
            for (size_t i = before.interval; i < summaries_.size(); ++i) ASSERT_TRUE(changes.add(summaries_[i]).ok());
            treatments = plan_increment(files, base, mode == Mode::kSummaries ? &changes : nullptr, kPagesPerSegment);
            backup.hints_may_differ = mode == Mode::kSummaries;
        }
        CopyOptions options;
        options.data_directory = cluster_.path();
        options.control.page_size = kPageSize;
        options.control.pages_per_relation_segment = kPagesPerSegment;
        options.workers = 1 + static_cast<int>(cluster_.below(2));
        options.pack_set = "set-" + std::to_string(summaries_.size());
        const CopyPlan plan = plan_copy(files, treatments, options.workers, 8 * kPageSize);
        CopyCounters counters;
        NullLog log;
        Result<CopiedFiles> copied = copy_files(options, {files, treatments, &base}, plan, repository_.all(), counters, log, {});
        ASSERT_TRUE(copied.ok()) << copied.error().to_string();
        backup.manifest.packs = std::move(copied->packs);
        backup.manifest.files = std::move(copied->files);
        backup.manifest.summary.label = options.pack_set;
        backup.manifest.summary.stop_lsn = cluster_.lsn();
        for (const ManifestFile& file : backup.manifest.files)
            for (const ManifestRun& run : file.runs) reused_runs_ += backup.manifest.packs[run.pack].set != options.pack_set;
        // As it is read again later.
        backup.manifest.summary.system_identifier = 77;
        Result<Manifest> parsed = parse_manifest(render_manifest(backup.manifest));
        ASSERT_TRUE(parsed.ok()) << parsed.error().to_string();
        backup.manifest = std::move(parsed).value();
        backups_.push_back(std::move(backup));
    }

    /// Delete a backup, and all packs that no other one refers to.
    void forget(size_t index) {
        backups_.erase(backups_.begin() + static_cast<std::ptrdiff_t>(index));
        const Layout& layout = repository_.one().layout();
        std::set<std::string> needed;
        for (const TakenBackup& backup : backups_)
            for (const ManifestPack& pack : backup.manifest.packs) needed.insert(layout.pack(pack.set, pack.number));
        for (const std::string& key : repository_.keys(layout.packs_prefix()))
            if (!needed.contains(key)) {
                EXPECT_TRUE(repository_.one().storage().remove(key).ok());
            }
    }

    void check(const TakenBackup& backup) {
        std::vector<Bytes> packs;
        for (const ManifestPack& pack : backup.manifest.packs) {
            Result<Bytes> content = repository_.one().load(repository_.one().layout().pack(pack.set, pack.number), ObjectKind::kPack);
            ASSERT_TRUE(content.ok()) << content.error().to_string();
            packs.push_back(std::move(content).value());
        }
        ASSERT_EQ(backup.manifest.files.size(), backup.reference.size());
        for (const ManifestFile& file : backup.manifest.files) {
            std::string content(file.size, '\0');
            for (const ManifestRun& run : file.runs)
                content.replace(run.offset, run.length, as_text(ByteView(packs[run.pack]).subspan(run.pack_offset, run.length)));
            EXPECT_EQ(file.crc32c.value_or(crc32c(as_bytes(content))), crc32c(as_bytes(content))) << file.path;
            std::string expected = backup.reference.at(file.path);
            if (backup.hints_may_differ && file.path.starts_with("base/5/") && !file.path.ends_with("_vm") && !file.path.ends_with("_fsm")) {
                for (size_t at = kHintByte; at < content.size(); at += kPageSize) content[at] = '\0';
                for (size_t at = kHintByte; at < expected.size(); at += kPageSize) expected[at] = '\0';
            }
            ASSERT_TRUE(content == expected) << file.path << " of " << backup.manifest.summary.label;
        }
    }

    RandomCluster cluster_;
    TestRepository repository_;
    std::vector<Bytes> summaries_;
    std::vector<TakenBackup> backups_;
    uint64_t reused_runs_ = 0;
};

TEST(Increments, EveryBackupOfARandomHistoryReadsBackAsTheDirectoryWas) {
    for (unsigned seed = 1; seed <= 5 && !HasFailure(); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        IncrementHistory(seed).run(20);
    }
}

}  // namespace
}  // namespace steward
