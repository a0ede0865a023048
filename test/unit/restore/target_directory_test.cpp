#include "core/restore/target_directory.h"

#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"

namespace steward {
namespace {

namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text = "x") {
    fs::create_directories(path.parent_path());
    std::ofstream(path) << text;
}

Result<DirectoryPlan> decide(const fs::path& path, ExistingContent existing = ExistingContent::kRefuse) {
    const Result<DirectoryFacts> facts = inspect_directory(path);
    if (!facts.ok()) return facts.error();
    return decide_directory(*facts, DirectoryRole::kData, existing, "20261120-110443Z");
}

TEST(TargetDirectory, IsCreatedWhenMissingAndUsedWhenEmpty) {
    const TemporaryDirectory directory;
    EXPECT_EQ(decide(directory.path() / "new")->action, DirectoryAction::kCreate);
    EXPECT_EQ(decide(directory.path())->action, DirectoryAction::kUse);
}

TEST(TargetDirectory, IsRefusedWhenItHoldsAnything) {
    const TemporaryDirectory directory;
    write(directory.path() / "precious");
    const auto plan = decide(directory.path());
    ASSERT_FALSE(plan.ok());
    EXPECT_EQ(plan.error().code(), ErrorCode::wrong_state);
    EXPECT_FALSE(plan.error().hint().empty());
}

TEST(TargetDirectory, IsRenamedOnRequestWithAllItHolds) {
    const TemporaryDirectory directory;
    const fs::path data = directory.path() / "data";
    write(data / "precious");
    const auto plan = decide(data, ExistingContent::kPreserve);
    ASSERT_TRUE(plan.ok());
    ASSERT_TRUE(prepare_directory(*plan, 0700, std::nullopt).ok());
    EXPECT_TRUE(fs::is_empty(data));
    EXPECT_TRUE(fs::exists(directory.path() / "data.before-restore-20261120-110443Z" / "precious"));
}

TEST(TargetDirectory, IsNeverRenamedWhenItIsAMountPoint) {
    DirectoryFacts facts;
    facts.path = "/srv/pg";
    facts.content = DirectoryContent::kOther;
    facts.mount_point = true;
    const auto plan = decide_directory(facts, DirectoryRole::kData, ExistingContent::kPreserve, "now");
    ASSERT_FALSE(plan.ok());
    EXPECT_EQ(plan.error().code(), ErrorCode::wrong_state);
}

TEST(TargetDirectory, IsBusyWhateverWasAskedForWhenAServerRunsInIt) {
    DirectoryFacts facts;
    facts.path = "/srv/pg";
    facts.content = DirectoryContent::kOther;
    facts.server = 4711;
    for (const ExistingContent existing : {ExistingContent::kRefuse, ExistingContent::kPreserve})
        EXPECT_EQ(decide_directory(facts, DirectoryRole::kData, existing, "now").error().code(), ErrorCode::busy);
}

TEST(TargetDirectory, IsGoneOnWithAfterAnInterruptedRestore) {
    const TemporaryDirectory directory;
    write(directory.path() / kRestoreMarker, "{\"backup\":\"a\",\"tablespaces\":[\"/srv/fast\"]}\n");
    write(directory.path() / "base/1/1259");
    const auto facts = inspect_directory(directory.path());
    ASSERT_TRUE(facts.ok());
    EXPECT_EQ(facts->interrupted_tablespaces, std::vector<fs::path>{"/srv/fast"});
    for (const ExistingContent existing : {ExistingContent::kRefuse, ExistingContent::kPreserve, ExistingContent::kCompare}) {
        const auto plan = decide(directory.path(), existing);
        ASSERT_TRUE(plan.ok());
        EXPECT_EQ(plan->action, DirectoryAction::kCompare);
    }
}

TEST(TargetDirectory, IsWrittenOverOnlyWhenItIsTheSameCluster) {
    DirectoryFacts facts;
    facts.path = "/srv/pg";
    EXPECT_EQ(check_same_cluster(facts, 7).error().code(), ErrorCode::wrong_state);
    facts.system_identifier = 8;
    EXPECT_EQ(check_same_cluster(facts, 7).error().code(), ErrorCode::wrong_state);
    facts.system_identifier = 7;
    EXPECT_TRUE(check_same_cluster(facts, 7).ok());
}

TEST(TargetDirectory, IsNotTakenForUnfinishedOnceItHasAControlFile) {
    const TemporaryDirectory directory;
    write(directory.path() / kRestoreMarker, "{}");
    write(directory.path() / "global/pg_control");
    EXPECT_EQ(decide(directory.path()).error().code(), ErrorCode::wrong_state);
}

TEST(TargetDirectory, MustBelongToTheServersUserWhenRootRestores) {
    DirectoryFacts missing;
    missing.path = "/srv/pg";
    EXPECT_EQ(decide_owner(missing, true, std::nullopt).error().code(), ErrorCode::usage);
    EXPECT_EQ(decide_owner(missing, true, FileOwner{0, 0}).error().code(), ErrorCode::usage);
    EXPECT_EQ(decide_owner(missing, true, FileOwner{26, 26}).value(), (FileOwner{26, 26}));
    DirectoryFacts existing = missing;
    existing.owner = FileOwner{101, 102};
    EXPECT_EQ(decide_owner(existing, true, std::nullopt).value(), (FileOwner{101, 102}));
    EXPECT_EQ(decide_owner(existing, false, std::nullopt).value(), std::nullopt);
    EXPECT_EQ(decide_owner(existing, false, FileOwner{26, 26}).error().code(), ErrorCode::usage);
}

TEST(TargetDirectory, KeepsAMovedClustersTablespaceLinksOnItsOwnFiles) {
    const TemporaryDirectory directory;
    const fs::path old_data = directory.path() / "old", tablespace = directory.path() / "fast", aside = directory.path() / "fast.aside";
    fs::create_directories(old_data / "pg_tblspc");
    fs::create_directory(tablespace);
    fs::create_symlink(tablespace, old_data / "pg_tblspc/16384");
    ASSERT_TRUE(follow_moved_tablespace(old_data, {tablespace, DirectoryAction::kMoveAside, aside}).ok());
    EXPECT_EQ(fs::read_symlink(old_data / "pg_tblspc/16384"), aside);
}

}  // namespace
}  // namespace steward
