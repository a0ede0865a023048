#include "core/postgres/relation_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steward {
namespace {

using ::testing::UnorderedElementsAre;

TEST(RelationFile, RecognisesEveryPlace) {
    EXPECT_EQ(parse_relation_path("base/5/16385"), (RelationFile{kDefaultTablespace, 5, 16385, RelationFork::kMain, 0, false}));
    EXPECT_EQ(parse_relation_path("base/5/16385_fsm.12"),
              (RelationFile{kDefaultTablespace, 5, 16385, RelationFork::kFreeSpaceMap, 12, false}));
    EXPECT_EQ(parse_relation_path("base/5/16385_vm"),
              (RelationFile{kDefaultTablespace, 5, 16385, RelationFork::kVisibilityMap, 0, false}));
    EXPECT_EQ(parse_relation_path("base/5/16385_init"),
              (RelationFile{kDefaultTablespace, 5, 16385, RelationFork::kInit, 0, false}));
    EXPECT_EQ(parse_relation_path("base/5/t3_16385.1"),
              (RelationFile{kDefaultTablespace, 5, 16385, RelationFork::kMain, 1, true}));
    EXPECT_EQ(parse_relation_path("global/1262"), (RelationFile{kGlobalTablespace, 0, 1262, RelationFork::kMain, 0, false}));
    EXPECT_EQ(parse_relation_path("pg_tblspc/16400/PG_15_202209061/5/16385"),
              (RelationFile{16400, 5, 16385, RelationFork::kMain, 0, false}));
}

TEST(RelationFile, RecognisesNothingElse) {
    for (const char* path : {"",
                             "PG_VERSION",
                             "base/5/PG_VERSION",
                             "base/5/pg_filenode.map",
                             "global/pg_control",
                             "base/5/0016385",
                             "base/5/16385.0",
                             "base/5/16385.",
                             "base/5/16385_xyz",
                             "base/5/16385_",
                             "base/5/99999999999",
                             "base/x/16385",
                             "base/5/t_16385",
                             "base/5/t3_",
                             "base/5/16385.1.2",
                             "pg_xact/0000",
                             "base/16385",
                             "pg_tblspc/16400/OTHER/5/16385",
                             "base/5/16385_fsmx",
                             "16385",
                             "pg_tblspc/16400/16385",
                             "/base/5/16385",
                             "base//16385"})
        EXPECT_EQ(parse_relation_path(path), std::nullopt) << path;
}

TEST(BackupExclusionRules, FollowTheServersList) {
    for (const char* path :
         {"postmaster.pid", "postmaster.opts", "backup_label", "tablespace_map", "backup_manifest", "postgresql.auto.conf.tmp",
          "current_logfiles.tmp", "global/pg_internal.init", "base/5/pg_internal.init.123", "base/pgsql_tmp/pgsql_tmp1.0",
          "base/5/t3_16385", "pg_wal/000000010000000000000001", "pg_wal/archive_status/x.ready", "pg_wal/summaries/x.summary",
          "pg_replslot/slot/state", "pg_stat_tmp/x", "pg_steward/jobs.jsonl", "pg_steward/reports/verify-7.json", "pg_subtrans/0000", "pg_notify/0000", "backup_label.old"})
        EXPECT_EQ(exclusion_of(path, false), BackupExclusion::kSkip) << path;
    for (const char* path : {"pg_wal", "pg_wal/archive_status", "pg_wal/summaries", "pg_replslot", "pg_dynshmem", "pg_notify",
                             "pg_serial", "pg_snapshots", "pg_stat_tmp", "pg_steward", "pg_subtrans"})
        EXPECT_EQ(exclusion_of(path, true), BackupExclusion::kEmptyDirectory) << path;
    for (const char* path : {"base/pgsql_tmp", "pg_tblspc/16400/PG_15_202209061/pgsql_tmp", "pg_replslot/slot", "pg_wal/other"})
        EXPECT_EQ(exclusion_of(path, true), BackupExclusion::kSkip) << path;
    for (const char* path : {"PG_VERSION", "global/pg_control", "base/5/16385", "postgresql.auto.conf", "pg_xact/0000",
                             "pg_logical/replorigin_checkpoint", "pg_walx", "pg_multixact/members/0000", "base/5/16385_init",
                             "standby.signal", "base/5/t3"})
        EXPECT_EQ(exclusion_of(path, false), BackupExclusion::kInclude) << path;
    EXPECT_EQ(exclusion_of("base/5", true), BackupExclusion::kInclude);
}

TEST(UnloggedFiles, AreAllForksButTheInitFork) {
    EXPECT_THAT(unlogged_files({"16385", "16385.1", "16385_fsm", "16385_vm", "16385_init", "16386", "16386_fsm", "163850",
                                "t3_16385", "PG_VERSION"}),
                UnorderedElementsAre("16385", "16385.1", "16385_fsm", "16385_vm"));
    EXPECT_THAT(unlogged_files({}), UnorderedElementsAre());
}

TEST(TablespaceVersionDirectory, IsNamedForMajorAndCatalog) {
    EXPECT_EQ(tablespace_version_directory(15, 202209061), "PG_15_202209061");
}

}  // namespace
}  // namespace steward
