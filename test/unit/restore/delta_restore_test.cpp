#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <memory>
#include <random>
#include <set>

#include "base/temporary_directory.h"
#include "core/backup/page_table.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/postgres/page.h"
#include "core/postgres/pg_control.h"
#include "core/restore/restore.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr uint64_t kMb = kRestoreSegmentSize;
constexpr const char* kVersionDirectory = "PG_17_202406281";

std::string noise(size_t size, unsigned seed) {
    std::string text(size, '\0');
    std::mt19937 random(seed);
    for (char& c : text) c = static_cast<char>(random());
    return text;
}

/// global/pg_control of version 17, for what a restore looks at.
std::string control_file_of(uint64_t system_identifier) {
    Bytes file(8192, std::byte{0});
    store_le(file.data(), system_identifier);
    store_le(file.data() + 8, control_version_of(17));
    store_le(file.data() + 216, uint32_t{8192});
    store_le(file.data() + 220, uint32_t{131072});
    store_le(file.data() + 224, uint32_t{8192});
    store_le(file.data() + 228, uint32_t{16 << 20});
    store_le(file.data() + 288, crc32c(ByteView(file).first(288)));
    return std::string(as_text(file));
}

/// Notes what a restore tells, and stops it before one of its steps.
class StepLog final : public Log {
public:
    void write(const LogRecord& record) override {
        if (record.event == "restore_step" && steps++ == stop_at) cancel.request_stop();
        if (record.event == "restore_compared") to_write = std::stoull(record.fields[1].second);
    }

    int stop_at = -1;
    int steps = 0;
    std::optional<uint64_t> to_write;
    CancelSource cancel;
};

/// Serves a number of reads, then fails as a disk does.
class FailingReads final : public Storage {
public:
    explicit FailingReads(Storage& inner) : inner_(inner) {}
    StorageCapabilities capabilities() const override { return inner_.capabilities(); }
    std::string url() const override { return inner_.url(); }
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override { return inner_.put(key, parts, mode); }
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override {
        if (reads_left == 0) return Error(ErrorCode::io_error, "could not read");
        if (reads_left > 0) --reads_left;
        return inner_.read(key, offset, length);
    }
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override { return inner_.stat(key); }
    Result<ListPage> list(std::string_view prefix, std::string_view page, size_t limit) override { return inner_.list(prefix, page, limit); }
    Result<void> remove(std::string_view key) override { return inner_.remove(key); }
    Result<void> remove_stale_uploads(TimePoint older_than) override { return inner_.remove_stale_uploads(older_than); }

    int reads_left = -1;  ///< -1: all

private:
    Storage& inner_;
};

/// A backup with one pack that has a table of page digests, and an older one without.
class DeltaRestore : public ::testing::Test {
protected:
    DeltaRestore() : storage_(clock_), failing_(storage_) {
        repositories_.push_back(open_restore_repository(failing_));
        make_backup();
    }

    struct Pack {
        ObjectBuilder builder{{Codec::kZstd, 1}};
        PageTable table;
    };

    /// `stored` are ranges, all else of the content is zero. Pages have digests in pack 0.
    void add_file(const std::string& path, std::string content, const std::vector<std::pair<uint64_t, uint64_t>>& stored, unsigned pack = 0) {
        ManifestFile file;
        file.path = path;
        file.size = content.size();
        file.mode = path == "base/1/2604" ? 0400 : 0600;
        // Every other file is one of which the backup read parts only.
        if (manifest_.files.size() % 2 == 0) file.crc32c = crc32c(as_bytes(content));
        if (content.size() % kPageSize != 0 && content.size() < 100'000) file.digest = digest_of(as_bytes(content));
        for (const auto& [offset, length] : stored) {
            ObjectBuilder& builder = packs_[pack].builder;
            const bool paged = content.size() % kPageSize == 0;
            if (paged) builder.add(Bytes((kPageSize - builder.position() % kPageSize) % kPageSize));
            const ByteView part = as_bytes(content).subspan(offset, length);
            for (size_t at = 0; paged && pack == 0 && at < length; at += kPageSize)
                packs_[0].table.note(builder.position() + at, short_digest_of(part.subspan(at, kPageSize)));
            file.runs.push_back({offset, length, pack, builder.position()});
            builder.add(part);
        }
        manifest_.files.push_back(file);
        contents_[path] = std::move(content);
    }

    std::string with_hole(size_t pages, size_t from, size_t to, unsigned seed) {
        std::string content = noise(pages * kPageSize, seed);
        std::fill(content.begin() + static_cast<std::ptrdiff_t>(from * kPageSize), content.begin() + static_cast<std::ptrdiff_t>(to * kPageSize), '\0');
        return content;
    }

    void make_backup() {
        manifest_.summary = test_summary("a", 1, 2 * kMb + 40, 3 * kMb + 80);
        manifest_.backup_label = "START WAL LOCATION: 0/200028 (file 000000010000000000000002)\n";
        manifest_.tablespaces = {{16384, (directory_.path() / "fast").native()}};
        const std::string version = formatted("pg_tblspc/16384/{}", kVersionDirectory);
        manifest_.directories = {{"base", 0700}, {"base/1", 0700}, {"global", 0700}, {"pg_tblspc", 0700}, {"pg_tblspc/16384", 0700}, {version, 0700}};
        add_file("PG_VERSION", "17\n", {{0, 3}});
        add_file("base/1/1259", with_hole(90, 10, 20, 1), {{0, 10 * kPageSize}, {20 * kPageSize, 70 * kPageSize}});
        add_file("base/1/1260", with_hole(40, 30, 40, 2), {{0, 30 * kPageSize}});
        add_file("base/1/2604", noise(3 * kPageSize, 3), {{0, 3 * kPageSize}});
        add_file("base/1/2605", with_hole(20, 0, 5, 4), {{5 * kPageSize, 15 * kPageSize}}, 1);
        add_file("base/1/2606", std::string(4 * kPageSize, '\0'), {});
        add_file("base/1/empty", "", {});
        add_file("base/1/odd", noise(300'077, 5), {{0, 100'000}, {200'000, 100'077}});
        std::fill(contents_["base/1/odd"].begin() + 100'000, contents_["base/1/odd"].begin() + 200'000, '\0');
        manifest_.files.back().crc32c.reset();
        add_file("global/pg_control", control_file_of(kRestoreIdentity.system_identifier), {{0, 8192}});
        add_file(version + "/5", noise(12 * kPageSize, 6), {{0, 12 * kPageSize}});
        add_file("postgresql.auto.conf", "work_mem = '64MB'\n", {{0, 18}});
        manifest_.summary.files = manifest_.files.size();
        for (unsigned number = 0; number < 2; ++number) {
            const uint64_t table = packs_[number].table.append_to(packs_[number].builder);
            const BuiltObject pack = packs_[number].builder.finish(ObjectKind::kPack, kRestoreIdentity.system_identifier);
            manifest_.packs.push_back({"set", number, pack.plain_length, pack.size(), table});
            ASSERT_TRUE(repositories_[0].store(repositories_[0].layout().pack("set", number), pack, ObjectKind::kPack).ok());
        }
        const BuiltObject manifest = build_object(ObjectKind::kManifest, kRestoreIdentity.system_identifier, as_bytes(render_manifest(manifest_)), {Codec::kZstd, 1});
        ASSERT_TRUE(repositories_[0].store(repositories_[0].layout().manifest("a"), manifest, ObjectKind::kManifest).ok());
        for (uint64_t number = 2; number <= 5; ++number) put_wal(repositories_[0], to_string(WalSegmentName{1, number}, kRestoreSegmentSize), empty_segment());
    }

    RestoreOptions options(ExistingContent existing = ExistingContent::kCompare) const {
        RestoreOptions options;
        options.data_directory = data();
        options.existing = existing;
        options.wal_get = {"/usr/bin/pg_steward", "file:///srv/pg", "main"};
        return options;
    }
    fs::path data() const { return directory_.path() / "data"; }
    fs::path tablespace() const { return directory_.path() / "fast"; }

    Result<RestorePlan> plan(const RestoreOptions& wanted) { return plan_restore(repositories_, wanted, clock_, progress_, {}); }
    Result<void> restore(const RestoreOptions& wanted, Log& log, const CancelToken& cancel = {}) {
        TRY_ASSIGN(const RestorePlan planned, plan(wanted));
        return execute_restore(planned, repositories_, log, progress_, cancel);
    }
    void restore_anew() {
        NullLog log;
        fs::remove_all(data());
        fs::remove_all(tablespace());
        const auto restored = restore(options(ExistingContent::kRefuse), log);
        ASSERT_TRUE(restored.ok()) << restored.error().to_string();
    }

    static std::set<std::string> entries(const fs::path& directory) {
        std::set<std::string> found;
        for (const auto& entry : fs::recursive_directory_iterator(directory)) found.insert(entry.path().lexically_relative(directory).native());
        return found;
    }
    static std::string slurp(const fs::path& path) {
        const auto bytes = read_file(path);
        return bytes.ok() ? std::string(as_text(*bytes)) : bytes.error().message();
    }
    static void spew(const fs::path& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }

    /// Everything is as in the backup and nothing else is there; the checksums in backup_manifest are right.
    void expect_restored() {
        std::map<std::string, std::string> expected = contents_;
        expected.erase("postgresql.auto.conf");
        for (const auto& [path, content] : expected) EXPECT_TRUE(slurp(data() / path) == content) << path;
        EXPECT_THAT(slurp(data() / "postgresql.auto.conf"), HasSubstr("work_mem = '64MB'\nrecovery_target_timeline"));
        if (pristine_.empty()) pristine_ = entries(data());
        EXPECT_EQ(entries(data()), pristine_);
        for (const ManifestFile& file : manifest_.files) {
            struct stat st = {};
            ASSERT_EQ(::stat((data() / file.path).c_str(), &st), 0) << file.path;
            EXPECT_EQ(st.st_mode & 07777u, file.mode) << file.path;
        }
        const Json manifest = parse_json(slurp(data() / "backup_manifest"));
        for (const auto& file : manifest["Files"]) {
            const std::string path = file["Path"];
            if (!contents_.contains(path)) continue;
            Bytes crc(4);
            store_le(crc.data(), crc32c(as_bytes(contents_[path])));
            EXPECT_EQ(file["Checksum"], to_hex(crc)) << path;
        }
    }

    void damage(std::mt19937& random) {
        std::vector<std::string> paths;
        for (const auto& [path, content] : contents_)
            if (path != "global/pg_control" && path != "PG_VERSION") paths.push_back(path);
        const fs::path path = data() / paths[random() % paths.size()];
        if (!fs::is_regular_file(fs::symlink_status(path))) return;
        ::chmod(path.c_str(), 0600);
        const uint64_t size = fs::file_size(path);
        switch (random() % 8) {
            case 0: fs::remove(path); break;
            case 1: fs::resize_file(path, random() % (size + 1)); break;
            case 2: std::ofstream(path, std::ios::app) << noise(random() % 20'000, static_cast<unsigned>(random())); break;
            case 3: fs::remove(path), fs::create_directories(path / "sub"), spew(path / "sub/x", "x"); break;
            case 4: fs::remove(path), fs::create_symlink("/dev/null", path); break;
            case 5: ::chmod(path.c_str(), 0400); break;
            default:
                if (size == 0) break;
                std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
                for (int i = 0; i < 3; ++i) file.seekp(static_cast<std::streamoff>(random() % size)) << 'X';
        }
    }

    SystemClock clock_;
    RestoreProgress progress_;
    MemoryStorage storage_;
    FailingReads failing_;
    std::vector<Repository> repositories_;
    TemporaryDirectory directory_;
    Manifest manifest_;
    Pack packs_[2];
    std::map<std::string, std::string> contents_;
    std::set<std::string> pristine_;
};

TEST_F(DeltaRestore, WritesNothingButWhatDiffersOrCannotBeCompared) {
    restore_anew();
    expect_restored();
    {
        std::fstream file(data() / "base/1/1259", std::ios::in | std::ios::out | std::ios::binary);
        file.seekp(50 * kPageSize + 17) << "changed";
        file.seekp(15 * kPageSize) << "in the hole";
    }
    StepLog log;
    const auto restored = restore(options(), log);
    ASSERT_TRUE(restored.ok()) << restored.error().to_string();
    expect_restored();
    // The page, what the old pack has, and what has no digest. To postgresql.auto.conf the first restore only added.
    EXPECT_EQ(log.to_write, kPageSize + 15 * kPageSize + 200'077);
}

TEST_F(DeltaRestore, BringsBackWhatWasDamagedInAnyWay) {
    std::mt19937 random(20261121);
    for (int round = 0; round < 25; ++round) {
        restore_anew();
        expect_restored();
        for (unsigned i = 0, count = 1 + random() % 6; i < count; ++i) damage(random);
        fs::create_directories(data() / "base/9/deep");
        spew(data() / "base/9/deep/1", "extra");
        fs::create_directories(directory_.path() / "elsewhere/precious");
        fs::create_directory_symlink(directory_.path() / "elsewhere", data() / "pg_tblspc/999");
        NullLog log;
        const auto restored = restore(options(), log);
        ASSERT_TRUE(restored.ok()) << restored.error().to_string();
        expect_restored();
        EXPECT_TRUE(fs::exists(directory_.path() / "elsewhere/precious"));
        if (HasFailure()) FAIL() << "round " << round;
    }
}

TEST_F(DeltaRestore, GoesOnAfterBeingInterruptedBeforeAnyStep) {
    restore_anew();
    expect_restored();
    for (const bool begin_anew : {true, false}) {
        int steps = 0;
        for (bool finished = false; !finished; ++steps) {
            restore_anew();
            if (begin_anew) fs::remove_all(data()), fs::remove_all(tablespace());
            else spew(data() / "base/1/1260", "damaged");
            StepLog log;
            log.stop_at = steps;
            finished = restore(options(), log, log.cancel.get_token()).ok();
            const bool startable = fs::exists(data() / "global/pg_control");
            // Before anything was changed, or when all is done.
            EXPECT_EQ(startable, finished || (!begin_anew && steps <= 1)) << steps;
            EXPECT_TRUE(startable || steps == 0 || fs::exists(data() / kRestoreMarker)) << steps;
            NullLog silent;
            const auto again = restore(options(), silent);
            ASSERT_TRUE(again.ok()) << steps << ": " << again.error().to_string();
            expect_restored();
        }
        EXPECT_GE(steps, 7);
    }
}

TEST_F(DeltaRestore, KeepsWhatAnInterruptedRestoreHadWritten) {
    restore_anew();
    expect_restored();
    int interrupted = 0;
    RestoreOptions one_by_one = options(ExistingContent::kRefuse);
    one_by_one.workers = 1;
    std::optional<uint64_t> to_write;
    for (int reads = 0;; ++reads) {
        fs::remove_all(data());
        fs::remove_all(tablespace());
        const auto planned = plan(one_by_one);
        ASSERT_TRUE(planned.ok());
        NullLog silent;
        failing_.reads_left = reads;
        const bool finished = execute_restore(*planned, repositories_, silent, progress_, {}).ok();
        failing_.reads_left = -1;
        if (finished) break;
        EXPECT_FALSE(fs::exists(data() / "global/pg_control"));
        StepLog log;
        const auto again = restore(options(ExistingContent::kRefuse), log);
        ASSERT_TRUE(again.ok()) << again.error().to_string();
        expect_restored();
        ++interrupted;
        to_write = log.to_write;
    }
    // The last time it was WAL that could not be read: all that can be compared is there.
    EXPECT_GT(interrupted, 4);
    EXPECT_EQ(to_write, 15 * kPageSize + 200'077);
}

TEST_F(DeltaRestore, TouchesNoOtherClustersFiles) {
    restore_anew();
    const auto refused = [&] { return plan(options()).error().code(); };
    spew(data() / "global/pg_control", control_file_of(1));
    EXPECT_EQ(refused(), ErrorCode::wrong_state);
    spew(data() / "global/pg_control", "nothing");
    EXPECT_EQ(refused(), ErrorCode::wrong_state);
    EXPECT_EQ(slurp(data() / "global/pg_control"), "nothing");
}

TEST_F(DeltaRestore, LeavesTheOtherNamesOfAFileAlone) {
    restore_anew();
    const fs::path other = directory_.path() / "other";
    spew(data() / "base/1/1260", "of an upgraded cluster");
    fs::create_hard_link(data() / "base/1/1260", other);
    NullLog log;
    ASSERT_TRUE(restore(options(), log).ok());
    expect_restored();
    EXPECT_EQ(slurp(other), "of an upgraded cluster");
}

TEST_F(DeltaRestore, LeavesWalOnItsOwnDisk) {
    restore_anew();
    const fs::path disk = directory_.path() / "wal";
    fs::rename(data() / "pg_wal", disk);
    fs::create_directory(disk / "lost+found");
    spew(disk / "00000002000000000000000A", "old");
    fs::create_symlink(disk, data() / "pg_wal");
    NullLog log;
    ASSERT_TRUE(restore(options(), log).ok());
    EXPECT_EQ(fs::read_symlink(data() / "pg_wal"), disk);
    EXPECT_TRUE(fs::exists(disk / "lost+found"));
    EXPECT_FALSE(fs::exists(disk / "00000002000000000000000A"));
    EXPECT_TRUE(slurp(disk / "000000010000000000000003") == as_text(empty_segment()));
}

TEST_F(DeltaRestore, SaysBeforehandWhatItRemoves) {
    restore_anew();
    fs::create_directories(data() / "base/7");
    spew(data() / "base/7/1", std::string(1000, 'x'));
    spew(data() / "pg_wal/archive_status/00000001000000000000000A.ready", "");
    fs::create_directories(tablespace() / "PG_16_202307071/5");
    const auto planned = plan(options());
    ASSERT_TRUE(planned.ok()) << planned.error().to_string();
    // Beside the two: what the restore wrote, recovery.signal, backup_label, backup_manifest, two segments and their status.
    EXPECT_EQ(planned->surplus.files, 9u);
    EXPECT_EQ(planned->surplus.directories, 1u);
    EXPECT_GE(planned->surplus.bytes, 1000 + 2 * kMb);
    EXPECT_EQ(planned->surplus.unarchived_wal, 1u);
    EXPECT_THAT(render_plan(*planned), HasSubstr("9 files and 1 directories"));
    EXPECT_THAT(render_plan(*planned), HasSubstr("1 WAL files among them were not archived"));
    EXPECT_EQ(parse_json(render_plan_json(*planned))["removed_first"]["files"], 9);
    EXPECT_TRUE(fs::exists(data() / "base/7/1"));
    NullLog log;
    ASSERT_TRUE(execute_restore(*planned, repositories_, log, progress_, {}).ok());
    EXPECT_FALSE(fs::exists(data() / "base/7"));
    EXPECT_TRUE(fs::exists(tablespace() / "PG_16_202307071/5"));
}

}  // namespace
}  // namespace steward
