#include "program/upgrade/work_directory.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>

#include "base/temporary_directory.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/copy_tree.h"

namespace steward {
namespace {

namespace fs = std::filesystem;

class StandingClock final : public Clock {
public:
    TimePoint now() const override { return TimePoint(std::chrono::seconds(1'800'000'000)); }
};

JournalEntry begun(UpgradeStep step) { return {JournalEvent::kStep, {}, {}, {1, step}, {}}; }

void write(const fs::path& file, const std::string& content) { std::ofstream(file, std::ios::binary) << content; }

std::string content_of(const fs::path& file) {
    const auto content = read_file(file);
    return content.ok() ? std::string(as_text(*content)) : std::string();
}

class UpgradeWork : public testing::Test {
protected:
    TemporaryDirectory scratch_;
    StandingClock clock_;
    UpgradePlaces places_{scratch_.path() / "main"};
};

TEST_F(UpgradeWork, KeepsItsJournalBesideTheDataDirectory) {
    {
        auto journal = UpgradeJournal::open(places_, clock_);
        ASSERT_TRUE(journal.ok()) << journal.error().to_string();
        ASSERT_TRUE(journal->append(begun(UpgradeStep::kClear)).ok());
        ASSERT_TRUE(journal->append(begun(UpgradeStep::kFingerprint)).ok());
        EXPECT_EQ(journal->entries().size(), 2U);
    }
    EXPECT_EQ(places_.journal(), scratch_.path() / "main.upgrade/journal");
    const auto read = UpgradeJournal::read(places_);
    ASSERT_TRUE(read.ok());
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ((*read)[1].step.step, UpgradeStep::kFingerprint);
    EXPECT_EQ((*read)[1].at, clock_.now());
}

TEST_F(UpgradeWork, LetsOneProcessAtItAtATime) {
    EXPECT_FALSE(UpgradeJournal::is_in_use(places_));
    auto first = UpgradeJournal::open(places_, clock_);
    ASSERT_TRUE(first.ok());
    EXPECT_TRUE(UpgradeJournal::is_in_use(places_));
    const auto second = UpgradeJournal::open(places_, clock_);
    ASSERT_FALSE(second.ok());
    EXPECT_EQ(second.error().code(), ErrorCode::busy);
}

TEST_F(UpgradeWork, WritesOnAfterATornLine) {
    ASSERT_TRUE(UpgradeJournal::open(places_, clock_)->append(begun(UpgradeStep::kClear)).ok());
    std::ofstream(places_.journal(), std::ios::app) << R"({"event":"done","at":"20)";
    {
        auto journal = UpgradeJournal::open(places_, clock_);
        ASSERT_TRUE(journal.ok());
        ASSERT_EQ(journal->entries().size(), 1U);
        ASSERT_TRUE(journal->append(begun(UpgradeStep::kPreserve)).ok());
    }
    const auto read = UpgradeJournal::read(places_);
    ASSERT_TRUE(read.ok()) << read.error().to_string();
    ASSERT_EQ(read->size(), 2U);
    EXPECT_EQ(read->back().step.step, UpgradeStep::kPreserve);
}

class CopiedTreeOf : public testing::Test {
protected:
    CopiedTreeOf() {
        fs::create_directories(from_ / "base/1");
        write(from_ / "base/1/empty", "");
        write(from_ / "base/1/large", std::string((3 << 20) + 17, 'x'));
        write(from_ / "PG_VERSION", "15\n");
        fs::create_symlink("/nowhere", from_ / "link");
        fs::permissions(from_ / "PG_VERSION", fs::perms::owner_read);
        fs::permissions(from_ / "base", fs::perms::owner_all | fs::perms::group_read | fs::perms::group_exec);
    }

    TemporaryDirectory scratch_;
    const fs::path from_ = scratch_.path() / "from", to_ = scratch_.path() / "to";
    const CancelSource never_;
};

TEST_F(CopiedTreeOf, IsTheSameWithModesAndLinks) {
    const auto copied = copy_tree(from_, to_, never_.get_token());
    ASSERT_TRUE(copied.ok()) << copied.error().to_string();
    EXPECT_EQ(copied->files, 3U);
    EXPECT_EQ(copied->bytes, (3U << 20) + 17 + 3);
    EXPECT_TRUE(compare_trees(from_, to_, never_.get_token()).ok());
    EXPECT_EQ(fs::status(to_ / "PG_VERSION").permissions(), fs::perms::owner_read);
    EXPECT_EQ(fs::status(to_ / "base").permissions(), fs::status(from_ / "base").permissions());
    EXPECT_EQ(fs::read_symlink(to_ / "link"), "/nowhere");
}

TEST_F(CopiedTreeOf, IsRefusedWhenAnythingDiffers) {
    ASSERT_TRUE(copy_tree(from_, to_, never_.get_token()).ok());
    const fs::path large = to_ / "base/1/large";
    const auto refused = [&](const std::string& how) {
        const auto compared = compare_trees(from_, to_, never_.get_token());
        ASSERT_FALSE(compared.ok()) << how;
        EXPECT_EQ(compared.error().code(), ErrorCode::corrupt_object);
        EXPECT_NE(compared.error().message().find(how), std::string::npos) << compared.error().message();
    };
    std::fstream(large, std::ios::in | std::ios::out | std::ios::binary).seekp(3 << 20).put('y');
    refused("has other bytes between 3145728 and 3145745");
    write(large, std::string((3 << 20) + 16, 'x'));
    refused("has another size");
    write(large, std::string((3 << 20) + 17, 'x'));
    fs::remove(to_ / "link");
    refused("has other entries");
    fs::create_symlink("/somewhere", to_ / "link");
    refused("has another target");
}

TEST_F(CopiedTreeOf, StopsWhenAskedTo) {
    CancelSource stop;
    stop.request_stop();
    const auto copied = copy_tree(from_, to_, stop.get_token());
    ASSERT_FALSE(copied.ok());
    EXPECT_EQ(copied.error().code(), ErrorCode::cancelled);
}

TEST(ClusterDirectories, ChangePlaces) {
    const TemporaryDirectory scratch;
    fs::create_directories(scratch.path() / "one");
    fs::create_directories(scratch.path() / "other");
    write(scratch.path() / "one/a", "of one");
    const auto exchanged = exchange_directories(scratch.path() / "one", scratch.path() / "other");
    ASSERT_TRUE(exchanged.ok()) << exchanged.error().to_string();
    if (!*exchanged) GTEST_SKIP() << "not on this file system";
    EXPECT_EQ(content_of(scratch.path() / "other/a"), "of one");
    EXPECT_FALSE(fs::exists(scratch.path() / "one/a"));
}

Result<bool> refuse_to_exchange(const fs::path&, const fs::path&) { return false; }
Result<bool> fail_to_exchange(const fs::path&, const fs::path&) { return Error(ErrorCode::io_error, "broken"); }

/// A data directory "main" with the old cluster, and a new one that is to have its place.
class TakingPlace : public testing::Test {
protected:
    void SetUp() override {
        fs::create_directories(main_);
        fs::create_directories(made_);
        write(main_ / "a", "old");
        write(made_ / "a", "new");
    }

    std::string content_at(const fs::path& directory) const { return content_of(directory / "a"); }

    TemporaryDirectory scratch_;
    const fs::path main_ = scratch_.path() / "main", made_ = scratch_.path() / "main.upgrade/18", old_ = scratch_.path() / "main.upgrade/old";
};

TEST_F(TakingPlace, KeepsWhatWasThere) {
    for (const DirectoryExchange exchange : {exchange_directories, refuse_to_exchange}) {
        const Result<void> taken = take_place(made_, main_, old_, exchange);
        ASSERT_TRUE(taken.ok()) << taken.error().to_string();
        EXPECT_EQ(content_at(main_), "new");
        EXPECT_EQ(content_at(old_), "old");
        EXPECT_FALSE(fs::exists(made_));
        // And back, for the next way.
        ASSERT_TRUE(take_place(old_, main_, made_, exchange).ok());
    }
}

TEST_F(TakingPlace, IsFinishedAfterTheFirstOfTwoRenames) {
    fs::rename(main_, old_);
    ASSERT_TRUE(take_place(made_, main_, old_, refuse_to_exchange).ok());
    EXPECT_EQ(content_at(main_), "new");
    EXPECT_EQ(content_at(old_), "old");
}

TEST_F(TakingPlace, DoesNotReplaceWhatIsKept) {
    fs::create_directories(old_ / "base");
    EXPECT_FALSE(take_place(made_, main_, old_, refuse_to_exchange).ok());
    EXPECT_EQ(content_at(main_), "old");
    EXPECT_EQ(content_at(made_), "new");
}

TEST_F(TakingPlace, MovesNothingWhenTheExchangeFails) {
    const Result<void> taken = take_place(made_, main_, old_, fail_to_exchange);
    ASSERT_FALSE(taken.ok());
    EXPECT_EQ(taken.error().message(), "broken");
    EXPECT_EQ(content_at(main_), "old");
    EXPECT_EQ(content_at(made_), "new");
    EXPECT_FALSE(fs::exists(old_));
}

TEST(ClusterDirectories, FindTablespacesAndWhatAMajorHasInThem) {
    const TemporaryDirectory scratch;
    const fs::path cluster = scratch.path() / "main", location = scratch.path() / "fast";
    fs::create_directories(cluster / "pg_tblspc");
    for (const char* name : {"PG_15_202209061", "PG_15_202209061.pg_steward", "PG_150_1", "PG_18_202506291"}) fs::create_directories(location / name);
    fs::create_directory_symlink(location, cluster / "pg_tblspc/16384");
    EXPECT_EQ(tablespace_locations(cluster), std::set<fs::path>{location});
    EXPECT_EQ(version_directories(location, 15), std::vector<fs::path>{location / "PG_15_202209061"});
    EXPECT_TRUE(tablespace_locations(scratch.path() / "nothing").empty());
}

TEST(ClusterDirectories, SeeNoClusterWhereNoneIs) {
    const TemporaryDirectory scratch;
    const auto seen = see_cluster(scratch.path());
    ASSERT_TRUE(seen.ok());
    EXPECT_EQ(seen->major, 0);
    write(scratch.path() / "PG_VERSION", "15\n");
    EXPECT_TRUE(see_cluster(scratch.path())->disabled);
}

}  // namespace
}  // namespace steward
