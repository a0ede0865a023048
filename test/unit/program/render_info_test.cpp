#include "program/report/render_info.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/base/json.h"
#include "program/engine/recovery_window_message.h"
#include "restore/restore_fixture.h"

namespace steward {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr uint64_t kMb = kRestoreSegmentSize;
const TimePoint kNoon(std::chrono::seconds(1'790'500'000));

// WAL 1..9 and 12..20, a backup at 2..3 and one at 14..15, the hole entered as dropped, a restore point on each side.
RepositoryContent content_with_a_hole() {
    RepositoryContent content;
    content.backups = {test_summary("a", 1, 2 * kMb + 40, 3 * kMb + 80), test_summary("c", 1, 14 * kMb + 40, 15 * kMb + 80)};
    const auto name = [](uint64_t segment) { return to_string(WalSegmentName{1, segment}, kRestoreSegmentSize); };
    content.wal = {{1, name(1), name(9), 9, 900}, {1, name(12), name(20), 9, 900}};
    content.gaps = {{1, {10 * kMb}, {12 * kMb}, GapReason::kDropped, kNoon, "disk full"}};
    content.restore_points = {{"early", "before the upgrade", 1, {5 * kMb}, kNoon}, {"lost", "", 1, {13 * kMb}, kNoon}};
    return content;
}

const RepositoryInfo kRepositories[] = {{"file:///r", {{"main", kRestoreIdentity, content_with_a_hole()}}}};

TEST(RenderInfo, ShowsIntervalsTheHoleWithItsReasonAndRestorePoints) {
    const std::string text = render_info(kRepositories);
    EXPECT_THAT(text, HasSubstr("timeline 1, " + to_string(Lsn{3 * kMb + 80}) + " to " + to_string(Lsn{10 * kMb}) + ", with backup a\n"));
    EXPECT_THAT(text, HasSubstr("2 segments dropped, recorded 2026-"));
    EXPECT_THAT(text, HasSubstr("note: disk full"));
    EXPECT_THAT(text, HasSubstr(to_string(Lsn{10 * kMb}) + " before, " + to_string(Lsn{15 * kMb + 80}) + " (backup c) after"));
    EXPECT_THAT(text, HasSubstr("before the upgrade"));
    EXPECT_THAT(text, HasSubstr("(not reachable)"));
}

TEST(RenderInfo, ShowsWhoHadTheNameBeforeApart) {
    RepositoryInfo repository = kRepositories[0];
    ClusterInfo former = repository.clusters[0];
    former.identity = {7100000000000000013, 13, kRestoreSegmentSize};
    former.content.backups[0].label = "of thirteen";
    repository.clusters[0].former = {former};
    const std::string text = render_info(std::span(&repository, 1));
    const size_t apart = text.find("  cluster main before: PostgreSQL 13, restored with --system-identifier 7100000000000000013\n");
    ASSERT_NE(apart, std::string::npos);
    EXPECT_THAT(text.substr(0, apart), Not(HasSubstr("of thirteen")));
    EXPECT_THAT(text.substr(apart), HasSubstr("of thirteen"));
    const auto json = parse_json(render_info_json(std::span(&repository, 1)))[0]["clusters"][0];
    EXPECT_EQ(json["former"][0]["system_identifier"], "7100000000000000013");
    EXPECT_EQ(json["former"][0]["backups"][0]["label"], "of thirteen");
    EXPECT_EQ(json["backups"][0]["label"], "a");
}

TEST(RecoveryWindowMessage, OwesASuccessorItsFirstBackup) {
    RestoreFacts facts{.backups = {}, .wal = WalInventory(kRestoreSegmentSize)};
    EXPECT_TRUE(recovery_window_message(facts, true).first_backup_owed);
    EXPECT_FALSE(recovery_window_message(facts).first_backup_owed);
    facts.backups = {{test_summary("a", 1, 2 * kMb + 40, 3 * kMb + 80)}};
    EXPECT_FALSE(recovery_window_message(facts, true).first_backup_owed);
}

TEST(RenderInfo, ShowsWhatABackupWentOnFromAndWhetherItIsKept) {
    RepositoryInfo repository = kRepositories[0];
    repository.clusters[0].content.backups[1].base = "a";
    repository.clusters[0].kept = {"a"};
    const std::string text = render_info(std::span(&repository, 1));
    const size_t second = text.find("\n    c ");
    ASSERT_NE(second, std::string::npos);
    EXPECT_THAT(text.substr(0, second), HasSubstr("kept, whatever the retention policy says"));
    EXPECT_THAT(text.substr(second), HasSubstr("went on from backup a\n"));
    EXPECT_THAT(text.substr(second), Not(HasSubstr("kept,")));
    const auto json = parse_json(render_info_json(std::span(&repository, 1)))[0]["clusters"][0]["backups"];
    EXPECT_EQ(json[0]["kept"], true);
    EXPECT_FALSE(json[0].contains("base"));
    EXPECT_EQ(json[1]["kept"], false);
    EXPECT_EQ(json[1]["base"], "a");
}

TEST(RenderInfo, SaysTheSameInJson) {
    const auto json = parse_json(render_info_json(kRepositories));
    const auto& cluster = json[0]["clusters"][0];
    ASSERT_EQ(cluster["recovery_window"].size(), 2u);
    EXPECT_EQ(cluster["recovery_window"][1]["backup"], "c");
    ASSERT_EQ(cluster["wal"]["gaps"].size(), 1u);
    EXPECT_EQ(cluster["wal"]["gaps"][0]["reason"], "dropped");
    EXPECT_EQ(cluster["wal"]["gaps"][0]["segments"], 2);
    EXPECT_EQ(cluster["wal"]["gaps"][0]["after"]["lsn"], to_string(Lsn{15 * kMb + 80}));
    EXPECT_EQ(cluster["restore_points"][0]["note"], "before the upgrade");
    EXPECT_EQ(cluster["restore_points"][0]["reachable"], true);
    EXPECT_EQ(cluster["restore_points"][1]["reachable"], false);
}

TEST(RecoveryWindowRows, HoldTheNewestFirstAndSayHowManyThereAre) {
    RepositoryContent content = content_with_a_hole();
    for (uint64_t i = 0; i < 2 * kMaxWindowRows; ++i) content.restore_points.push_back({"p", "", 1, {15 * kMb + 100 + i}, kNoon});
    const auto message = recovery_window_message(merge_contents(std::span(&content, 1), kRestoreSegmentSize));
    EXPECT_EQ(message.restore_point_count, 2 * kMaxWindowRows + 2);
    ASSERT_EQ(message.restore_points.size(), kMaxWindowRows);
    EXPECT_EQ(message.restore_points.front().lsn, 15 * kMb + 100 + 2 * kMaxWindowRows - 1);
    ASSERT_EQ(message.intervals.size(), 2u);
    EXPECT_EQ(message.intervals.front().backup, "c");
    ASSERT_EQ(message.gaps.size(), 1u);
    EXPECT_EQ(message.gaps.front().reason, "dropped");
    EXPECT_EQ(message.gaps.front().after_backup, "c");
}

}  // namespace
}  // namespace steward
