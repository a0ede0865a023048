#include "core/restore/database_choice.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <algorithm>

#include "base/temporary_directory.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/restore/restore.h"
#include "core/restore/stored_file.h"
#include "postgres/database_pages.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kMb = kRestoreSegmentSize;

std::string oids_of(const std::vector<ListedDatabase>& databases) {
    std::string text;
    for (const ListedDatabase& database : databases) text += formatted("{}{}", text.empty() ? "" : " ", database.oid);
    return text;
}

std::string oids_of(const std::vector<LeftOutDatabase>& databases) {
    std::string text;
    for (const LeftOutDatabase& left_out : databases) text += formatted("{}{}", text.empty() ? "" : " ", left_out.database.oid);
    return text;
}

/// A manifest with a version file and another of `size` bytes for each OID.
Manifest manifest_of(const std::vector<Oid>& oids, uint64_t size = 8192) {
    Manifest manifest;
    manifest.summary.label = "b";
    for (const Oid oid : oids)
        for (const std::string_view name : {"1259", "PG_VERSION"}) {
            ManifestFile file;
            file.path = formatted("base/{}/{}", oid, name);
            file.size = name == "1259" ? size : 3;
            file.crc32c = 77;
            file.digest = Digest();
            file.runs.push_back({0, file.size, 0, 0});
            manifest.files.push_back(file);
        }
    std::ranges::sort(manifest.files, {}, &ManifestFile::path);
    return manifest;
}

const std::vector<ListedDatabase> kDatabases = {{1, {"template1"}}, {4, {"template0"}}, {5, {"postgres"}}, {16385, {"a"}}, {16386, {"b"}}, {16387, {"c"}}};
const std::vector<Oid> kOids = {1, 4, 5, 16385, 16386, 16387};

TEST(SelectDatabases, RestoresWhatIsNamedAndWhatInitdbMade) {
    const auto selection = select_databases({{"a", "c"}, {}}, kDatabases, manifest_of(kOids));
    ASSERT_TRUE(selection.ok()) << selection.error().to_string();
    EXPECT_EQ(oids_of(selection->restored), "1 4 5 16385 16387");
    EXPECT_EQ(oids_of(selection->left_out), "16386");
    EXPECT_EQ(selection->left_out[0].files, 2u);
    EXPECT_EQ(selection->left_out[0].bytes, 8192u);
}

TEST(SelectDatabases, LeavesOutWhatIsExcluded) {
    const auto selection = select_databases({{}, {"a", "c"}}, kDatabases, manifest_of(kOids));
    ASSERT_TRUE(selection.ok());
    EXPECT_EQ(oids_of(selection->restored), "1 4 5 16386");
    EXPECT_EQ(oids_of(selection->left_out), "16385 16387");
}

TEST(SelectDatabases, TakesASystemDatabasesNameForNoneOfTheOthers) {
    const auto selection = select_databases({{"postgres"}, {}}, kDatabases, manifest_of(kOids));
    ASSERT_TRUE(selection.ok());
    EXPECT_EQ(oids_of(selection->left_out), "16385 16386 16387");
}

TEST(SelectDatabases, KeepsSystemDatabasesThatWereMadeAnew) {
    const std::vector<ListedDatabase> databases = {{5, {"was_postgres"}}, {16385, {"postgres"}}, {16386, {"b"}}};
    const auto selection = select_databases({{"b"}, {}}, databases, manifest_of({5, 16385, 16386}));
    ASSERT_TRUE(selection.ok());
    EXPECT_FALSE(selection->is_partial());
    EXPECT_EQ(select_databases({{}, {"postgres"}}, databases, manifest_of({5, 16385, 16386})).error().code(), ErrorCode::usage);
    EXPECT_EQ(select_databases({{}, {"was_postgres"}}, databases, manifest_of({5, 16385, 16386})).error().code(), ErrorCode::usage);
}

TEST(SelectDatabases, NeverLeavesOutWhatMayBeAskedFor) {
    // Renames that the pages leave open.
    const std::vector<ListedDatabase> databases = {{16385, {"new", "old"}}, {16386, {"old", "older"}}, {16387, {"c"}}};
    const Manifest manifest = manifest_of({16385, 16386, 16387, 16399});
    EXPECT_EQ(oids_of(select_databases({{"new"}, {}}, databases, manifest)->left_out), "16386 16387");
    EXPECT_EQ(oids_of(select_databases({{"old"}, {}}, databases, manifest)->left_out), "16387");
    EXPECT_EQ(oids_of(select_databases({{}, {"old"}}, databases, manifest)->left_out), "");
    EXPECT_EQ(oids_of(select_databases({{}, {"old", "older"}}, databases, manifest)->left_out), "16386");
    // 16399 has no name: it was made during the backup.
    EXPECT_EQ(oids_of(select_databases({{"c"}, {}}, databases, manifest)->restored), "16387 16399");
}

TEST(SelectDatabases, MentionsNoDatabaseWithoutFiles) {
    const auto selection = select_databases({{"b"}, {}}, kDatabases, manifest_of({1, 4, 5, 16386}));
    ASSERT_TRUE(selection.ok());
    EXPECT_EQ(oids_of(selection->restored), "1 4 5 16386");
    EXPECT_FALSE(selection->is_partial());
    EXPECT_TRUE(statements_after(*selection).empty());
}

TEST(SelectDatabases, RefusesUnknownNamesAndSaysWhichThereAre) {
    for (const DatabaseChoice& choice : {DatabaseChoice{{"a", "x"}, {}}, DatabaseChoice{{}, {"a", "x"}}}) {
        const auto selection = select_databases(choice, kDatabases, manifest_of(kOids));
        ASSERT_FALSE(selection.ok());
        EXPECT_EQ(selection.error().code(), ErrorCode::not_found);
        EXPECT_EQ(selection.error().message(), "backup \"b\" has no database \"x\"");
        EXPECT_EQ(selection.error().detail(), "It has \"a\", \"b\", \"c\", \"postgres\", \"template0\", \"template1\".");
    }
    EXPECT_EQ(select_databases({{"A"}, {}}, kDatabases, manifest_of(kOids)).error().code(), ErrorCode::not_found) << "names are not folded";
}

TEST(SelectDatabases, RefusesBothListsAndTheExclusionOfASystemDatabase) {
    EXPECT_EQ(select_databases({{"a"}, {"b"}}, kDatabases, manifest_of(kOids)).error().code(), ErrorCode::usage);
    const auto excluded = select_databases({{}, {"template0"}}, kDatabases, manifest_of(kOids));
    ASSERT_FALSE(excluded.ok());
    EXPECT_EQ(excluded.error().code(), ErrorCode::usage);
    EXPECT_THAT(excluded.error().detail(), HasSubstr("always restored"));
}

TEST(LeaveOutContent, TouchesNoFileOfAnythingElse) {
    Manifest manifest = manifest_of({16385, 16386});
    for (const char* path : {"base/16386x/1", "base/16386", "global/16386", "pg_tblspc/16386/PG_17_1/16385/1", "pg_tblspc/1/PG_17_1/16386/1",
                             "pg_tblspc/1/PG_17_1/16386/PG_VERSION", "pg_tblspc/1/other/16386/1", "pg_xact/16386/1"}) {
        ManifestFile file;
        file.path = path;
        file.size = 100;
        file.runs.push_back({0, 100, 0, 0});
        manifest.files.push_back(file);
    }
    leave_out_content(manifest, {{}, {{{16386, {"b"}}, 0, 0}}});
    for (const ManifestFile& file : manifest.files) {
        const bool is_empty = file.path == "base/16386/1259" || file.path == "pg_tblspc/1/PG_17_1/16386/1";
        EXPECT_EQ(file.runs.empty(), is_empty) << file.path;
        if (!is_empty) continue;
        EXPECT_EQ(file.crc32c, crc32c(Bytes(file.size, std::byte{0})));
        EXPECT_EQ(file.digest, std::nullopt);
    }
}

TEST(StatementsAfter, QuoteNamesAsSqlWantsThem) {
    const DatabaseSelection selection{{}, {{{16385, {"wei\"rd's \xC3\xBC"}}, 0, 0}, {{16386, {"new", "old"}}, 0, 0}}};
    EXPECT_THAT(statements_after(selection), testing::ElementsAre("DROP DATABASE \"wei\"\"rd's \xC3\xBC\";", "DROP DATABASE \"new\";",
                                                                  "ALTER SYSTEM RESET ignore_invalid_pages;"));
    EXPECT_EQ(describe_names(selection.left_out[1].database), "\"new\" or \"old\"");
    EXPECT_EQ(describe_names({16399, {}}), "without a name");
}

/// A backup of three databases of operators, "a" (16385), "b" (16386) and "c" (16387, files in a tablespace too).
class RestoreDatabases : public ::testing::Test {
protected:
    RestoreDatabases() : storage_(clock_) { repositories_.push_back(open_restore_repository(storage_)); }

    void add_file(const std::string& path, const std::string& content) {
        ManifestFile file;
        file.path = path;
        file.size = content.size();
        file.crc32c = crc32c(as_bytes(content));
        file.digest = digest_of(as_bytes(content));
        // In two runs, in the wrong order.
        const uint64_t half = content.size() / 2;
        file.runs = {{0, half, 0, pack_.size() + content.size() - half}, {half, content.size() - half, 0, pack_.size()}};
        pack_ += content.substr(half) + content.substr(0, half);
        manifest_.files.push_back(file);
    }

    void make_backup(const std::string& pages) {
        manifest_.summary = test_summary("b", 1, 2 * kMb + 40, 3 * kMb + 80);
        manifest_.backup_label = "START WAL LOCATION: 0/200028 (file 000000010000000000000002)\n";
        manifest_.tablespaces = {{16400, (directory_.path() / "fast").native()}};
        manifest_.directories = {{"base", 0700}, {"global", 0700}, {"pg_tblspc", 0700}, {"pg_tblspc/16400", 0700}, {"pg_tblspc/16400/PG_17_1", 0700},
                                 {"pg_tblspc/16400/PG_17_1/16387", 0700}};
        for (const unsigned oid : {1, 4, 5, 16385, 16386, 16387}) manifest_.directories.push_back({formatted("base/{}", oid), 0700});
        for (const unsigned oid : {1, 4, 5, 16385, 16386, 16387}) {
            add_file(formatted("base/{}/PG_VERSION", oid), "17\n");
            add_file(formatted("base/{}/2000", oid), std::string(300'000, static_cast<char>('a' + oid % 7)));
            add_file(formatted("base/{}/pg_filenode.map", oid), std::string(524, 'm'));
        }
        add_file("global/1262", std::string(8192, 'x'));
        add_file("global/pg_control", std::string(8192, 'c'));
        add_file("global/pg_filenode.map", std::string(as_text(make_relation_map({{1260, 1260}, {1262, 16500}}, 524))));
        if (!pages.empty()) add_file("global/16500", pages);
        add_file("pg_tblspc/16400/PG_17_1/16387/2001", std::string(16384, 'z'));
        std::ranges::sort(manifest_.files, {}, &ManifestFile::path);

        const BuiltObject pack = build_object(ObjectKind::kPack, kRestoreIdentity.system_identifier, as_bytes(pack_), {Codec::kZstd, 1});
        manifest_.packs = {{"set", 0, pack.plain_length, pack.size()}};
        const BuiltObject manifest = build_object(ObjectKind::kManifest, kRestoreIdentity.system_identifier, as_bytes(render_manifest(manifest_)), {Codec::kZstd, 1});
        ASSERT_TRUE(repositories_[0].store(repositories_[0].layout().pack("set", 0), pack, ObjectKind::kPack).ok());
        ASSERT_TRUE(repositories_[0].store(repositories_[0].layout().manifest("b"), manifest, ObjectKind::kManifest).ok());
        for (uint64_t number = 2; number <= 5; ++number) put_wal(repositories_[0], to_string(WalSegmentName{1, number}, kRestoreSegmentSize), empty_segment());
    }

    /// More than a frame of pages, the rows on two of them.
    static std::string pages() {
        std::string text(as_text(make_database_page({{1, "template1"}, {4, "template0"}, {5, "postgres"}, {16385, "a"}})));
        text += std::string(50 * kPageSize, '\0');
        return text + std::string(as_text(make_database_page({{16386, "b"}, {16387, "c"}})));
    }

    RestoreOptions options(DatabaseChoice choice) const {
        RestoreOptions options;
        options.data_directory = data();
        options.wal_get = {"/usr/bin/pg_steward", "file:///srv/pg", "main"};
        options.databases = std::move(choice);
        return options;
    }
    std::filesystem::path data() const { return directory_.path() / "data"; }
    Result<RestorePlan> plan(const RestoreOptions& wanted) { return plan_restore(repositories_, wanted, clock_, progress_, {}); }
    std::string content(const std::string& path) const {
        const auto bytes = read_file(data() / path);
        return bytes.ok() ? std::string(as_text(*bytes)) : bytes.error().message();
    }

    SystemClock clock_;
    NullLog log_;
    RestoreProgress progress_;
    MemoryStorage storage_;
    std::vector<Repository> repositories_;
    TemporaryDirectory directory_;
    Manifest manifest_;
    std::string pack_;
};

TEST_F(RestoreDatabases, ReadsTheirNamesFromWhereTheRelationMapHasThem) {
    make_backup(pages());
    const auto databases = read_databases(repositories_, 0, manifest_);
    ASSERT_TRUE(databases.ok()) << databases.error().to_string();
    EXPECT_EQ(oids_of(*databases), "1 4 5 16385 16386 16387");
}

TEST_F(RestoreDatabases, ReadsFilesWithTheirHolesFromTheRepositoryThatHasThem) {
    make_backup(pages());
    MemoryStorage empty(clock_);
    const Repository both[] = {open_restore_repository(empty), open_restore_repository(storage_)};
    ManifestFile file = *std::ranges::find(manifest_.files, "base/16385/2000", &ManifestFile::path);
    file.size += 100;
    file.runs.back().length -= 1000;
    for (size_t first = 0; first < 2; ++first) {
        const auto stored = read_stored_file(both, first, manifest_, file);
        ASSERT_TRUE(stored.ok()) << stored.error().to_string();
        EXPECT_EQ(as_text(*stored), std::string(299'000, static_cast<char>('a' + 16385 % 7)) + std::string(1100, '\0'));
    }
    EXPECT_EQ(read_stored_file(std::span(both).first(1), 0, manifest_, file).error().code(), ErrorCode::not_found);
}

TEST_F(RestoreDatabases, RefusesABackupWhoseListCannotBeRead) {
    make_backup("");
    const auto missing = plan(options({{"a"}, {}}));
    ASSERT_FALSE(missing.ok());
    EXPECT_EQ(missing.error().code(), ErrorCode::corrupt_object);
    EXPECT_THAT(missing.error().hint(), HasSubstr("Restore all databases"));
    EXPECT_TRUE(plan(options({})).ok()) << "without a choice nobody asks";
}

TEST_F(RestoreDatabases, LeavesZerosWhereTheOthersWere) {
    make_backup(pages());
    const auto planned = plan(options({{"b"}, {}}));
    ASSERT_TRUE(planned.ok()) << planned.error().to_string();
    const auto restored = execute_restore(*planned, repositories_, log_, progress_, {});
    ASSERT_TRUE(restored.ok()) << restored.error().to_string();
    EXPECT_EQ(content("base/16386/2000"), std::string(300'000, static_cast<char>('a' + 16386 % 7)));
    EXPECT_EQ(content("base/5/2000"), std::string(300'000, static_cast<char>('a' + 5)));
    EXPECT_EQ(content("base/16385/PG_VERSION"), "17\n");
    for (const auto& [path, size] : {std::pair("base/16385/2000", 300'000), {"base/16387/2000", 300'000}, {"base/16385/pg_filenode.map", 524},
                                     {"pg_tblspc/16400/PG_17_1/16387/2001", 16384}}) {
        EXPECT_EQ(content(path), std::string(static_cast<size_t>(size), '\0')) << path;
        struct stat st = {};
        ASSERT_EQ(::stat((data() / path).c_str(), &st), 0);
        EXPECT_EQ(st.st_blocks, 0) << path;
    }
    EXPECT_THAT(content("postgresql.auto.conf"), HasSubstr("ignore_invalid_pages = 'on'"));
    const Json manifest = parse_json(content("backup_manifest"));
    for (const auto& file : manifest["Files"]) {
        const std::string path = file["Path"];
        if (path == "global/pg_control") continue;
        Bytes crc(4);
        store_le(crc.data(), crc32c(as_bytes(content(path))));
        EXPECT_EQ(file["Checksum"], to_hex(crc)) << path;
    }
}

TEST_F(RestoreDatabases, SaysInThePlanWhichAndWhatIsToBeDoneAfterwards) {
    make_backup(pages());
    const auto planned = plan(options({{}, {"c"}}));
    ASSERT_TRUE(planned.ok()) << planned.error().to_string();
    const std::string text = render_plan(*planned);
    EXPECT_THAT(text, HasSubstr("databases:       \"template1\", OID 1\n                 \"template0\", OID 4\n"));
    EXPECT_THAT(text, HasSubstr("left out:        \"c\", OID 16387, 4 files, "));
    const Json json = parse_json(render_plan_json(*planned))["databases"];
    EXPECT_EQ(json["restored"].size(), 5u);
    EXPECT_EQ(json["left_out"], parse_json(R"([{"oid": 16387, "names": ["c"], "files": 4, "bytes": 316908}])"));
    EXPECT_EQ(json["statements_after"][0], "DROP DATABASE \"c\";");

    const auto whole = plan(options({}));
    ASSERT_TRUE(whole.ok());
    EXPECT_THAT(render_plan(*whole), Not(HasSubstr("databases:")));
    EXPECT_FALSE(parse_json(render_plan_json(*whole)).contains("databases"));
    EXPECT_EQ(whole->recovery.invalid_pages, InvalidPages::kRefuse);
}

TEST_F(RestoreDatabases, CannotMakeAStandbyOfSome) {
    make_backup(pages());
    RestoreOptions wanted = options({{"a"}, {}});
    wanted.standby = StandbySettings{};
    const auto planned = plan(wanted);
    ASSERT_FALSE(planned.ok());
    EXPECT_EQ(planned.error().code(), ErrorCode::usage);
}

TEST_F(RestoreDatabases, MakesRoomInADirectoryThatHasThem) {
    make_backup(pages());
    ASSERT_TRUE(execute_restore(*plan(options({})), repositories_, log_, progress_, {}).ok());
    EXPECT_EQ(content("base/16385/2000")[0], static_cast<char>('a' + 16385 % 7));
    // As an interrupted restore leaves it: what is there is compared.
    std::filesystem::rename(data() / "global/pg_control", data() / "global/pg_control.pg_steward");
    ASSERT_TRUE(write_file_durably(data() / kRestoreMarker, as_bytes(formatted("{{\"backup\":\"b\",\"tablespaces\":[\"{}\"]}}\n", (directory_.path() / "fast").native())), 0600).ok());
    const auto planned = plan(options({{"b"}, {}}));
    ASSERT_TRUE(planned.ok()) << planned.error().to_string();
    const auto restored = execute_restore(*planned, repositories_, log_, progress_, {});
    ASSERT_TRUE(restored.ok()) << restored.error().to_string();
    EXPECT_EQ(content("base/16385/2000"), std::string(300'000, '\0'));
    EXPECT_EQ(content("pg_tblspc/16400/PG_17_1/16387/2001"), std::string(16384, '\0'));
    EXPECT_EQ(content("base/16386/2000"), std::string(300'000, static_cast<char>('a' + 16386 % 7)));
    struct stat st = {};
    ASSERT_EQ(::stat((data() / "base/16387/2000").c_str(), &st), 0);
    EXPECT_EQ(st.st_blocks, 0);
}

}  // namespace
}  // namespace steward
