#include "core/restore/recovery_target.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace steward {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

RecoverySettings settings_for(RecoveryTarget target) { return {std::move(target), "latest", "get \"%f\" \"%p\""}; }

TEST(ConfigureRecovery, LeavesOtherLinesAsTheyAre) {
    const std::string text = configure_recovery("# by hand\nwork_mem = '1GB'\n", {}, settings_for({}));
    EXPECT_TRUE(text.starts_with("# by hand\nwork_mem = '1GB'\n")) << text;
    EXPECT_THAT(text, HasSubstr("restore_command = 'get \"%f\" \"%p\"'\n"));
    EXPECT_THAT(text, HasSubstr("recovery_target_timeline = 'latest'\n"));
}

TEST(ConfigureRecovery, RemovesAnEarlierTarget) {
    const std::string text = configure_recovery("recovery_target_time = '2020-01-01'\nrecovery_target_action = 'shutdown'\n", {}, settings_for({}));
    EXPECT_THAT(text, Not(HasSubstr("recovery_target_time ")));
    EXPECT_THAT(text, Not(HasSubstr("recovery_target_action")));
}

TEST(ConfigureRecovery, ClearsATargetOfAnotherFileBeforeItSetsItsOwn) {
    RecoveryTarget target{.kind = TargetKind::kLsn, .lsn = {0x3000028}, .bound = TargetBound::kExclusive, .action = TargetAction::kPromote};
    const std::string text = configure_recovery("", {{"recovery_target_xid", "77"}, {"recovery_target_lsn", "0/1"}}, settings_for(target));
    const size_t cleared = text.find("recovery_target_xid = ''\n");
    const size_t set = text.find("recovery_target_lsn = '0/3000028'\n");
    ASSERT_NE(cleared, std::string::npos) << text;
    ASSERT_NE(set, std::string::npos) << text;
    EXPECT_LT(cleared, set);
    EXPECT_THAT(text, HasSubstr("recovery_target_inclusive = 'off'\n"));
    EXPECT_THAT(text, HasSubstr("recovery_target_action = 'promote'\n"));
}

TEST(ConfigureRecovery, GivesAStandbyItsOwnConnectionAndSlotOnly) {
    RecoverySettings settings = settings_for({});
    settings.standby = StandbySettings{"host=/run user=repl", ""};
    const std::string text = configure_recovery("primary_conninfo = 'host=old'\nprimary_slot_name = 'theirs'\n", {}, settings);
    EXPECT_THAT(text, HasSubstr("primary_conninfo = 'host=/run user=repl'\n"));
    EXPECT_THAT(text, Not(HasSubstr("host=old")));
    EXPECT_THAT(text, Not(HasSubstr("primary_slot_name")));
    EXPECT_THAT(configure_recovery("", {{"primary_slot_name", "theirs"}}, settings), HasSubstr("primary_slot_name = ''\n"));
}

TEST(ConfigureRecovery, AcceptsInvalidPagesOnlyInTheRestoreThatNeedsIt) {
    RecoverySettings settings = settings_for({});
    EXPECT_THAT(configure_recovery("ignore_invalid_pages = 'on'\n", {}, settings), Not(HasSubstr("ignore_invalid_pages")));
    settings.invalid_pages = InvalidPages::kIgnore;
    EXPECT_THAT(configure_recovery("", {}, settings), HasSubstr("ignore_invalid_pages = 'on'\n"));
}

TEST(CheckStandby, RefusesSlotsThatCannotBe) {
    EXPECT_TRUE(check_standby({"host=a", "s_1"}).ok());
    EXPECT_TRUE(check_standby({"", ""}).ok());
    EXPECT_EQ(check_standby({"", "s_1"}).error().code(), ErrorCode::usage);
    for (const std::string& slot : {std::string("S"), std::string("a-b"), std::string(64, 'a')})
        EXPECT_EQ(check_standby({"host=a", slot}).error().code(), ErrorCode::invalid_argument) << slot;
}

TEST(RenderRestoreCommand, QuotesForShellAndServer) {
    EXPECT_EQ(render_restore_command({"/opt/it's/pg_steward", "file:///srv/a%20b", "main"}),
              "'/opt/it'\\''s/pg_steward' wal-get --repository 'file:///srv/a%%20b' --cluster 'main' \"%f\" \"%p\"");
    EXPECT_THAT(render_restore_command({"/opt/pg_steward", "file:///srv", "main", 3}), HasSubstr(" --timeline 3 \"%f\" \"%p\""));
    EXPECT_THAT(render_restore_command({"/opt/pg_steward", "file:///srv", "main", {}, 7100000000000000015}),
                HasSubstr(" --cluster 'main' --system-identifier 7100000000000000015 \"%f\""));
}

TEST(ParseTimelineChoice, RefusesAnythingButWordsAndNumbers) {
    EXPECT_TRUE(parse_timeline_choice("latest").ok());
    EXPECT_TRUE(parse_timeline_choice("current").ok());
    EXPECT_EQ(parse_timeline_choice("12")->number, 12u);
    for (const char* text : {"", "0", "-1", "newest", "1x"}) EXPECT_FALSE(parse_timeline_choice(text).ok()) << text;
}

}  // namespace
}  // namespace steward
