#include "core/proof/drill.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"
#include "repository/memory_repository.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

using ::testing::Contains;
using ::testing::HasSubstr;

TEST(ParsePostmasterOpts, FindsTheProgramAndAConfigurationKeptElsewhere) {
    const RunningServer debian =
        parse_postmaster_opts("/usr/lib/postgresql/15/bin/postgres \"-D\" \"/var/lib/postgresql/15/main\" \"-c\" \"config_file=/etc/pg 15/main/postgresql.conf\"\n")
            .value();
    EXPECT_EQ(debian.program, "/usr/lib/postgresql/15/bin/postgres");
    EXPECT_EQ(debian.config_file, "/etc/pg 15/main/postgresql.conf");
    EXPECT_EQ(parse_postmaster_opts("/opt/my pg/bin/postgres \"--config-file=/a\"\n").value().config_file, "/a");
    EXPECT_EQ(parse_postmaster_opts("/opt/my pg/bin/postgres \"--config-file=/a\"\n").value().program, "/opt/my pg/bin/postgres");
    EXPECT_EQ(parse_postmaster_opts("/bin/postgres\n").value().config_file, std::nullopt);
}

TEST(ParsePostmasterOpts, RefusesWhatNamesNoProgram) {
    EXPECT_FALSE(parse_postmaster_opts("").ok());
    EXPECT_FALSE(parse_postmaster_opts("postgres \"-D\" \"x\"").ok());
}

ScratchServerFiles files() { return {"/pg/bin/postgres", "/s/data", "/s/s", "/s/hba", "/s/ident", std::nullopt}; }

TEST(ScratchServerCommand, KeepsTheServerFromTheWorldAndFromTheRunningOne) {
    const std::vector<std::string> command = scratch_server_command(files());
    EXPECT_EQ(command.front(), "/pg/bin/postgres");
    for (const char* setting : {"listen_addresses=", "archive_mode=off", "archive_library=", "archive_cleanup_command=", "external_pid_file=/s/data/external.pid",
                                "logging_collector=off", "max_worker_processes=0", "hot_standby=off", "primary_conninfo=", "synchronous_standby_names=",
                                "recovery_min_apply_delay=0", "steward.repository=", "data_directory=/s/data", "hba_file=/s/hba",
                                "unix_socket_directories=\"/s/s\""})
        EXPECT_THAT(command, Contains(setting));
    EXPECT_THAT(command, Not(Contains(HasSubstr("config_file="))));
}

TEST(ScratchServerCommand, NamesAConfigurationThatIsKeptElsewhere) {
    ScratchServerFiles elsewhere = files();
    elsewhere.config_file = "/etc/postgresql.conf";
    EXPECT_THAT(scratch_server_command(elsewhere), Contains("config_file=/etc/postgresql.conf"));
}

TEST(CheckDrillSpace, RefusesWhatDoesNotFitAndSaysHowMuchIsMissing) {
    const TemporaryDirectory directory;
    EXPECT_TRUE(check_drill_space(directory.path(), 1).ok());
    const auto refused = check_drill_space(directory.path(), UINT64_MAX);
    ASSERT_FALSE(refused.ok());
    EXPECT_EQ(refused.error().code(), ErrorCode::no_space);
    EXPECT_THAT(refused.error().hint(), HasSubstr("steward.drill_directory"));
}

TEST(DrillSpaceNeeded, CountsDataAndWal) {
    RestorePlan plan;
    plan.manifest.summary.data_bytes = 1000;
    plan.manifest.summary.wal_segment_size = 100;
    plan.wal_files = {"a", "b"};
    EXPECT_EQ(drill_space_needed(plan), 1600u);
}

TEST(FindRecoveryEnd, IsWhereTheNewestTimelineBegins) {
    const TemporaryDirectory directory;
    std::filesystem::create_directory(directory.path() / "pg_wal");
    EXPECT_EQ(find_recovery_end(directory.path()).error().code(), ErrorCode::not_found);
    std::ofstream(directory.path() / "pg_wal/00000002.history") << "1\t0/3000000\tno recovery target specified\n";
    std::ofstream(directory.path() / "pg_wal/0000000A.history") << "1\t0/3000000\tx\n2\t0/5000148\tno recovery target specified\n";
    std::ofstream(directory.path() / "pg_wal/0000000A0000000000000005") << "";
    const RecoveryEnd end = find_recovery_end(directory.path()).value();
    EXPECT_EQ(end.timeline, 10u);
    EXPECT_EQ(end.lsn, Lsn{0x5000148});
}

DrillRecord good_record() {
    DrillRecord record;
    record.time = TimePoint(std::chrono::seconds(1'790'000'000));
    record.backup = "nightly";
    record.data_bytes = 4096;
    record.timeline = 2;
    record.recovered = Lsn{0x5000148};
    record.last_transaction = "2026-09-21T14:13:19.000000Z";
    record.restore = std::chrono::milliseconds(1500);
    record.recovery = std::chrono::milliseconds(250);
    record.server_version = "17.6";
    return record;
}

TEST(DrillRecord, IsOneJsonObject) {
    EXPECT_EQ(render_drill(good_record()),
              R"({"time":"2026-09-21T14:13:20.000000Z","backup":"nightly","result":"succeeded","data_bytes":4096,"timeline":2,"recovered_lsn":"0/5000148",)"
              R"("last_transaction":"2026-09-21T14:13:19.000000Z","restore_seconds":1.5,"recovery_seconds":0.25,"check_seconds":0.0,"server_version":"17.6"})");
}

TEST(DrillRecord, SaysWhereItFailedAndLeavesOutWhatIsNotKnown) {
    DrillRecord record;
    record.backup = "nightly";
    record.failure = Error(ErrorCode::corrupt_object, "object \"x\" is corrupt").detail("Frame 3.");
    record.phase = "restoring files";
    EXPECT_EQ(render_drill(record),
              R"({"time":"1970-01-01T00:00:00.000000Z","backup":"nightly","result":"failed","phase":"restoring files","code":"corrupt_object",)"
              R"("error":"object \"x\" is corrupt","detail":"Frame 3.","data_bytes":0,"restore_seconds":0.0,"recovery_seconds":0.0,"check_seconds":0.0})");
}

TEST(DrillRecord, DisplacesTheOldestOfTooMany) {
    MemoryStore store;
    const Repository repository = store.claim(kRestoreIdentity);
    const ByteView content[] = {as_bytes("a record of long ago")};
    const auto name_of_day = [](size_t day) { return unique_name(good_record().time - std::chrono::days(kKeptDrills + 2 - day), day); };
    // Not in the order of time.
    for (size_t i = 0; i < kKeptDrills + 2; ++i)
        ASSERT_TRUE(store.memory.put(repository.layout().drill(name_of_day((i + 500) % (kKeptDrills + 2))), content, PutMode::kIfAbsent).ok());
    const auto names = [&] {
        std::vector<std::string> found;
        const std::string prefix = repository.layout().drills_prefix();
        EXPECT_TRUE(for_each_object(store.memory, prefix, [&](const ObjectInfo& object) -> Result<void> {
                        found.push_back(object.key.substr(prefix.size()));
                        return {};
                    }).ok());
        return found;
    };

    store.faulty.fail_always(StorageOperation::kRemove, Error(ErrorCode::permission_denied, "no"));
    EXPECT_TRUE(store_drill(repository, good_record(), 1).ok()) << "what cannot be removed is no failure of the drill";
    EXPECT_EQ(names().size(), kKeptDrills + 3);
    store.faulty.heal();
    ASSERT_TRUE(store_drill(repository, good_record(), 2).ok());
    std::vector<std::string> expected;
    for (size_t day = 4; day < kKeptDrills + 2; ++day) expected.push_back(name_of_day(day));
    expected.push_back(unique_name(good_record().time, 1));
    expected.push_back(unique_name(good_record().time, 2));
    EXPECT_THAT(names(), ::testing::UnorderedElementsAreArray(expected));
}

TEST(DrillRecord, HasANameOfItsOwn) {
    const SystemClock clock;
    MemoryStorage storage(clock);
    const Repository repository = open_restore_repository(storage);
    DrillRecord within_the_same_second = good_record();
    within_the_same_second.recovered.reset();
    ASSERT_TRUE(store_drill(repository, good_record(), 0x1a).ok());
    ASSERT_TRUE(store_drill(repository, within_the_same_second, 0x1b).ok());
    const auto stored_as = [&](std::string_view name) {
        return std::string(as_text(repository.load(repository.layout().drill(name), ObjectKind::kDrill).value()));
    };
    EXPECT_EQ(stored_as("20260921-141320Z-000000000000001a"), render_drill(good_record()) + "\n");
    EXPECT_EQ(stored_as("20260921-141320Z-000000000000001b"), render_drill(within_the_same_second) + "\n");
}

}  // namespace
}  // namespace steward
