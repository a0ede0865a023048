#include "core/preseed/seed_evidence.h"

#include <gtest/gtest.h>

#include <fstream>
#include <string>

#include "base/temporary_directory.h"

namespace steward {
namespace {

namespace fs = std::filesystem;

/// A place for a data directory, and what can be put there.
class SeedEvidenceTest : public testing::Test {
protected:
    fs::path data() const { return fs::canonical(place_.path()) / "data"; }

    void write(const std::string& name) const {
        fs::create_directories((data() / name).parent_path());
        std::ofstream(data() / name) << "x\n";
    }

    SeedEvidence look(const std::vector<fs::path>& mount_points = {}) const { return inspect_seed(data(), mount_points).value(); }

    TemporaryDirectory place_;
};

TEST_F(SeedEvidenceTest, TellsMissingFromEmpty) {
    EXPECT_EQ(look().content, SeedContent::kMissing);
    EXPECT_TRUE(look().unmounted.empty());
    fs::create_directory(data());
    EXPECT_EQ(look().content, SeedContent::kEmpty);
    EXPECT_FALSE(look().in_place);
    fs::create_directory(data() / "lost+found");
    EXPECT_EQ(look().content, SeedContent::kEmpty);
    EXPECT_TRUE(look().in_place) << "it cannot be renamed over";
}

TEST_F(SeedEvidenceTest, TellsWhatIsNoCluster) {
    for (const char* name : {"g", "f", "e", "d", "c", "b"}) write(name);
    const SeedEvidence evidence = look();
    EXPECT_EQ(evidence.content, SeedContent::kForeign);
    EXPECT_EQ(evidence.names, (std::vector<std::string>{"b", "c", "d", "e", "f"}));
    EXPECT_EQ(evidence.entries, 6U);
}

TEST_F(SeedEvidenceTest, TellsPartsOfAClusterFromAnInterruptedRestore) {
    write("global/pg_control");
    EXPECT_EQ(look().content, SeedContent::kDamaged) << "no version";
    write("PG_VERSION");
    EXPECT_EQ(look().content, SeedContent::kDamaged) << "no WAL directory";
    write("pg_wal/x");
    EXPECT_EQ(look().content, SeedContent::kDamaged) << "a version that is none";
    EXPECT_FALSE(look().damage.empty());
    fs::remove(data() / "global/pg_control");
    EXPECT_EQ(look().content, SeedContent::kDamaged) << "no control file";
    write("pg_steward.restore");
    EXPECT_EQ(look().content, SeedContent::kInterrupted);
}

TEST_F(SeedEvidenceTest, FindsAVolumeThatIsNotMounted) {
    EXPECT_TRUE(look({"/proc"}).unmounted.empty());
    ASSERT_EQ(look({place_.path()}).unmounted.size(), 1U) << "a plain directory";
    EXPECT_EQ(look({place_.path() / "nowhere"}).unmounted.size(), 1U);
    EXPECT_EQ(inspect_seed(data() / "below", {})->unmounted.size(), 1U) << "no parent to make it in";
    EXPECT_TRUE(inspect_seed("/proc", {})->in_place);
}

TEST_F(SeedEvidenceTest, FindsLinksThatLeadNowhere) {
    write("PG_VERSION");
    fs::create_directory(data() / "pg_tblspc");
    fs::create_symlink("/nowhere/wal", data() / "pg_wal");
    fs::create_symlink("/nowhere/fast", data() / "pg_tblspc/16384");
    ASSERT_EQ(look().unmounted.size(), 2U);
    EXPECT_EQ(look().unmounted[0].path, data() / "pg_wal");
    EXPECT_EQ(look().unmounted[1].path, data() / "pg_tblspc/16384");

    const fs::path link = place_.path() / "link";
    fs::create_symlink("/nowhere", link);
    for (const fs::path& path : {link, link / "data"}) {
        const Result<SeedEvidence> evidence = inspect_seed(path, {});
        ASSERT_TRUE(evidence.ok());
        ASSERT_EQ(evidence->unmounted.size(), 1U);
        EXPECT_EQ(evidence->unmounted[0].path, link);
    }
}

TEST_F(SeedEvidenceTest, LooksThroughALinkAtItsTarget) {
    fs::create_directory(data());
    const fs::path link = place_.path() / "link";
    fs::create_symlink(data(), link);
    EXPECT_EQ(inspect_seed(link, {})->directory, data()) << "what is made is made beside the target";
}

TEST_F(SeedEvidenceTest, TakesAHalfWrittenMarkerForNothing) {
    write("pg_steward.restore.tmp.1.2");
    EXPECT_EQ(look().content, SeedContent::kEmpty);
    ASSERT_TRUE(remove_half_marker(data()).ok());
    EXPECT_TRUE(fs::is_empty(data()));
    write("pg_steward.restore.tmp.1.2");
    write("precious");
    ASSERT_TRUE(remove_half_marker(data()).ok());
    EXPECT_TRUE(fs::exists(data() / "pg_steward.restore.tmp.1.2")) << "beside something else nothing is removed";
}

TEST_F(SeedEvidenceTest, FindsWhatAnEarlierRunLeft) {
    fs::create_directory(restore_workplace(data()));
    EXPECT_TRUE(look().restore_leftover);
    EXPECT_FALSE(look().initdb_leftover);
    EXPECT_FALSE(read_seeded_cluster(restore_workplace(data())).ok()) << "it is not a cluster yet";
}

}  // namespace
}  // namespace steward
