#include "core/restore/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <map>

#include "base/temporary_directory.h"
#include "core/base/file.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kMb = kRestoreSegmentSize;

std::string pattern(size_t size, unsigned seed) {
    std::string text(size, '\0');
    for (char& c : text) c = static_cast<char>((seed = seed * 1103515245 + 12345) >> 16);
    return text;
}

/// A backup "a" with one pack in each repository, restored into a temporary directory.
class RestoreBackup : public ::testing::Test {
protected:
    RestoreBackup() : storage_(clock_), second_storage_(clock_) {
        repositories_.push_back(open_restore_repository(storage_));
        repositories_.push_back(open_restore_repository(second_storage_));
        make_backup();
    }

    void add_file(const std::string& path, std::string content, std::vector<std::pair<uint64_t, uint64_t>> stored) {
        ManifestFile file;
        file.path = path;
        file.size = content.size();
        file.crc32c = crc32c(as_bytes(content));
        for (const auto& [offset, length] : stored) {
            file.runs.push_back({offset, length, 0, pack_.size()});
            pack_ += content.substr(offset, length);
        }
        manifest_.files.push_back(file);
        contents_[path] = std::move(content);
    }

    void make_backup() {
        manifest_.summary = test_summary("a", 1, 2 * kMb + 40, 3 * kMb + 80);
        manifest_.backup_label = "START WAL LOCATION: 0/200028 (file 000000010000000000000002)\n";
        manifest_.tablespaces = {{16384, (directory_.path() / "fast").native()}};
        manifest_.directories = {{"base", 0750},     {"base/1", 0750},          {"global", 0750},
                                 {"pg_tblspc", 0750}, {"pg_tblspc/16384", 0750}, {"pg_tblspc/16384/PG_17_202406281", 0750}};
        std::string holes = pattern(3 * kMb, 1);
        std::fill(holes.begin() + 8192, holes.begin() + 2 * kMb, '\0');
        add_file("PG_VERSION", "17\n", {{0, 3}});
        add_file("base/1/1259", holes, {{0, 8192}, {2 * kMb, kMb}});
        add_file("base/1/1260", std::string(8192, '\0'), {});
        add_file("base/1/empty", "", {});
        pack_ += pattern(kMb, 2);  // of other backups
        add_file("base/1/large", pattern(5 * kMb + 77, 3), {{0, 5 * kMb + 77}});
        add_file("global/pg_control", pattern(8192, 4), {{0, 8192}});
        add_file("pg_tblspc/16384/PG_17_202406281/5", pattern(100'000, 5), {{0, 100'000}});
        add_file("postgresql.auto.conf", "work_mem = '64MB'\nrecovery_target_xid = '5'\n", {{0, 42}});
        add_file("standby.signal", "", {});
        manifest_.summary.files = manifest_.files.size();

        const BuiltObject pack = build_object(ObjectKind::kPack, kRestoreIdentity.system_identifier, as_bytes(pack_), {Codec::kZstd, 1});
        manifest_.packs = {{"set", 0, pack.plain_length, pack.size()}};
        const BuiltObject manifest = build_object(ObjectKind::kManifest, kRestoreIdentity.system_identifier, as_bytes(render_manifest(manifest_)), {Codec::kZstd, 1});
        for (const Repository& repository : repositories_) {
            ASSERT_TRUE(repository.store(repository.layout().pack("set", 0), pack, ObjectKind::kPack).ok());
            ASSERT_TRUE(repository.store(repository.layout().manifest("a"), manifest, ObjectKind::kManifest).ok());
            for (uint64_t number = 2; number <= 5; ++number) put_wal(repository, to_string(WalSegmentName{1, number}, kRestoreSegmentSize), empty_segment());
        }
    }

    RestoreOptions options() const {
        RestoreOptions options;
        options.data_directory = data();
        options.wal_get = {"/usr/bin/pg_steward", "file:///srv/pg", "main"};
        return options;
    }
    fs::path data() const { return directory_.path() / "data"; }
    std::string content(const std::string& path) const {
        const auto bytes = read_file(data() / path);
        return bytes.ok() ? std::string(as_text(*bytes)) : bytes.error().message();
    }
    static unsigned mode_of(const fs::path& path) {
        struct stat st = {};
        ::stat(path.c_str(), &st);
        return st.st_mode & 07777;
    }
    Result<RestorePlan> plan(const RestoreOptions& wanted) { return plan_restore(repositories_, wanted, clock_, progress_, {}); }
    Result<void> restore(const RestoreOptions& wanted) {
        TRY_ASSIGN(const RestorePlan planned, plan(wanted));
        return execute_restore(planned, repositories_, log_, progress_, {});
    }
    void damage_pack(Storage& storage) {
        const std::string key = repositories_[0].layout().pack("set", 0);
        Bytes object = read_object(storage, key, 1 << 30).value();
        object[object.size() - 50'000] ^= std::byte{1};
        const ByteView parts[] = {object};
        ASSERT_TRUE(storage.put(key, parts, PutMode::kReplace).ok());
    }

    SystemClock clock_;
    NullLog log_;
    RestoreProgress progress_;
    MemoryStorage storage_;
    MemoryStorage second_storage_;
    std::vector<Repository> repositories_;
    TemporaryDirectory directory_;
    Manifest manifest_;
    std::string pack_;
    std::map<std::string, std::string> contents_;
};

TEST_F(RestoreBackup, BringsEveryFileBackWithItsHolesAndModes) {
    const auto restored = restore(options());
    ASSERT_TRUE(restored.ok()) << restored.error().to_string();
    contents_.erase("postgresql.auto.conf");
    contents_.erase("standby.signal");
    for (const auto& [path, expected] : contents_) EXPECT_TRUE(content(path) == expected) << path;
    EXPECT_EQ(mode_of(data()), 0750u);
    EXPECT_EQ(mode_of(data() / "base/1"), 0750u);
    EXPECT_EQ(mode_of(data() / "base/1/1259"), 0600u);
    struct stat st = {};
    ASSERT_EQ(::stat((data() / "base/1/1260").c_str(), &st), 0);
    EXPECT_EQ(st.st_blocks, 0);
}

TEST_F(RestoreBackup, PreparesRecovery) {
    ASSERT_TRUE(restore(options()).ok());
    EXPECT_EQ(content("backup_label"), manifest_.backup_label);
    EXPECT_TRUE(fs::exists(data() / "recovery.signal"));
    EXPECT_FALSE(fs::exists(data() / "standby.signal"));
    EXPECT_FALSE(fs::exists(data() / kRestoreMarker));
    EXPECT_THAT(content("postgresql.auto.conf"), HasSubstr("work_mem = '64MB'\n"));
    EXPECT_THAT(content("postgresql.auto.conf"), Not(HasSubstr("recovery_target_xid")));
    EXPECT_TRUE(content("pg_wal/000000010000000000000003") == as_text(empty_segment()));
    EXPECT_TRUE(fs::exists(data() / "pg_wal/archive_status/000000010000000000000003.done"));
    EXPECT_FALSE(fs::exists(data() / "pg_wal/000000010000000000000004"));
}

TEST_F(RestoreBackup, MakesAStandbyOnRequest) {
    RestoreOptions wanted = options();
    wanted.standby = StandbySettings{"host=primary", "mine"};
    const auto planned = plan(wanted);
    ASSERT_TRUE(planned.ok()) << planned.error().to_string();
    EXPECT_THAT(render_plan(*planned), HasSubstr("host=primary"));
    ASSERT_TRUE(execute_restore(*planned, repositories_, log_, progress_, {}).ok());
    EXPECT_TRUE(fs::exists(data() / "standby.signal"));
    EXPECT_FALSE(fs::exists(data() / "recovery.signal"));
    EXPECT_THAT(content("postgresql.auto.conf"), HasSubstr("primary_slot_name = 'mine'\n"));
    EXPECT_THAT(content("postgresql.auto.conf"), HasSubstr("recovery_target_timeline = 'latest'\n"));
    wanted.choice.target.kind = TargetKind::kImmediate;
    EXPECT_EQ(plan(wanted).error().code(), ErrorCode::usage);
}

TEST_F(RestoreBackup, LinksTablespacesToTheirNewPlaces) {
    RestoreOptions wanted = options();
    wanted.tablespace_root = directory_.path() / "spaces";
    ASSERT_TRUE(restore(wanted).ok());
    EXPECT_EQ(fs::read_symlink(data() / "pg_tblspc/16384"), directory_.path() / "spaces/16384");
    EXPECT_TRUE(fs::exists(directory_.path() / "spaces/16384/PG_17_202406281/5"));
    EXPECT_FALSE(fs::exists(directory_.path() / "fast"));
}

TEST_F(RestoreBackup, RefusesATablespaceThatAnotherClusterMayUse) {
    fs::create_directories(directory_.path() / "fast/PG_17_202406281");
    RestoreOptions wanted = options();
    wanted.existing = ExistingContent::kPreserve;
    const auto planned = plan(wanted);
    ASSERT_FALSE(planned.ok());
    EXPECT_EQ(planned.error().object(), (directory_.path() / "fast").native());
    EXPECT_TRUE(fs::exists(directory_.path() / "fast/PG_17_202406281"));
}

TEST_F(RestoreBackup, RefusesATablespaceInsideTheDataDirectory) {
    RestoreOptions wanted = options();
    wanted.tablespace_root = data() / "spaces";
    EXPECT_EQ(plan(wanted).error().code(), ErrorCode::invalid_argument);
}

TEST_F(RestoreBackup, RefusesAMappingOfATablespaceThatDoesNotExist) {
    RestoreOptions wanted = options();
    wanted.tablespace_map = {{"/nowhere", "/elsewhere"}};
    EXPECT_EQ(plan(wanted).error().object(), "/nowhere");
}

TEST_F(RestoreBackup, TakesADamagedPackFromTheNextRepository) {
    damage_pack(storage_);
    const auto restored = restore(options());
    ASSERT_TRUE(restored.ok()) << restored.error().to_string();
    EXPECT_TRUE(content("base/1/large") == contents_["base/1/large"]);
}

TEST_F(RestoreBackup, NamesTheDamagedPackAndLeavesNothingThatStarts) {
    damage_pack(storage_);
    damage_pack(second_storage_);
    const auto restored = restore(options());
    ASSERT_FALSE(restored.ok());
    EXPECT_EQ(restored.error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(restored.error().object(), repositories_[0].layout().pack("set", 0));
    EXPECT_FALSE(fs::exists(data() / "global/pg_control"));
}

TEST_F(RestoreBackup, StartsOverAfterAnInterruption) {
    damage_pack(storage_);
    const RestorePlan planned = plan(options()).value();
    // Only the damaged repository is at hand the first time.
    ASSERT_FALSE(execute_restore(planned, std::span(repositories_).first(1), log_, progress_, {}).ok());
    const auto again = restore(options());
    ASSERT_TRUE(again.ok()) << again.error().to_string();
    EXPECT_TRUE(content("pg_tblspc/16384/PG_17_202406281/5") == contents_["pg_tblspc/16384/PG_17_202406281/5"]);
}

TEST_F(RestoreBackup, MovesAReplacedClusterAsideWithItsTablespaces) {
    ASSERT_TRUE(restore(options()).ok());
    EXPECT_EQ(plan(options()).error().code(), ErrorCode::wrong_state);
    RestoreOptions wanted = options();
    wanted.existing = ExistingContent::kPreserve;
    const auto planned = plan(wanted);
    ASSERT_TRUE(planned.ok()) << planned.error().to_string();
    const auto restored = execute_restore(*planned, repositories_, log_, progress_, {});
    ASSERT_TRUE(restored.ok()) << restored.error().to_string();
    EXPECT_EQ(fs::read_symlink(planned->directory.aside / "pg_tblspc/16384"), planned->tablespaces[0].directory.aside);
    EXPECT_TRUE(fs::exists(planned->directory.aside / "pg_tblspc/16384/PG_17_202406281/5"));
    EXPECT_TRUE(fs::exists(data() / "pg_tblspc/16384/PG_17_202406281/5"));
}

TEST_F(RestoreBackup, ChangesNothingWhilePlanning) {
    const auto planned = plan(options());
    ASSERT_TRUE(planned.ok());
    EXPECT_THAT(render_plan(*planned), HasSubstr(data().native()));
    EXPECT_TRUE(fs::is_empty(directory_.path()));
}

TEST_F(RestoreBackup, RefusesProgramsOfAnotherMajor) {
    RestoreOptions wanted = options();
    wanted.server_major = 16;
    EXPECT_EQ(plan(wanted).error().code(), ErrorCode::wrong_version);
}

TEST_F(RestoreBackup, RefusesToStopSilentlyAtAHole) {
    put_wal(repositories_[0], to_string(WalSegmentName{1, 7}, kRestoreSegmentSize), empty_segment());
    RestoreOptions wanted = options();
    wanted.check = TargetCheck::kNone;
    const auto planned = plan(wanted);
    ASSERT_FALSE(planned.ok());
    EXPECT_EQ(planned.error().code(), ErrorCode::missing_wal);
    EXPECT_EQ(planned.error().object(), to_string(WalSegmentName{1, 6}, kRestoreSegmentSize));
}

}  // namespace
}  // namespace steward
