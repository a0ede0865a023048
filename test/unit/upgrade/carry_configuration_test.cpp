#include "core/upgrade/carry_configuration.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

TEST(CarryConfiguration, ReadsWhatTheServerRefuses) {
    const RefusedSettings refused = read_refused_settings(
        "LOG:  unrecognized configuration parameter \"Operator_Precedence_Warning\" in file \"/d/18/postgresql.conf\" line 7\n"
        "LOG:  invalid value for parameter \"password_encryption\": \"on\"\n"
        "HINT:  Available values: md5, scram-sha-256.\n"
        "FATAL:  configuration file \"/d/18/postgresql.conf\" contains errors\n");
    const RefusedSettings expected = {{"operator_precedence_warning", "unrecognized configuration parameter \"Operator_Precedence_Warning\""},
                                      {"password_encryption", "invalid value for parameter \"password_encryption\": \"on\""}};
    EXPECT_EQ(refused, expected);
    EXPECT_TRUE(read_refused_settings("postgres: could not access the server configuration file").empty());
}

TEST(CarryConfiguration, ReadsWhyAServerGaveUp) {
    EXPECT_EQ(fatal_message("LOG:  hello\nFATAL:  non-standard string literals are not supported\nHINT:  x\n"), "non-standard string literals are not supported");
    EXPECT_EQ(fatal_message("postgres: no such file\n"), "postgres: no such file");
}

TEST(CarryConfiguration, CommentsOutWhatIsRefusedAndNothingElse) {
    const std::string text = "a = 1\n  Gone = 'x'  # why\n#gone = 2\ngone_not = 3\r\nnonsense here now\ngone 4";
    const CommentedText commented = comment_out(text, {{"gone", "unknown"}});
    EXPECT_EQ(commented.text, "a = 1\n# pg_steward: unknown\n#  Gone = 'x'  # why\n#gone = 2\ngone_not = 3\r\nnonsense here now\n# pg_steward: unknown\n#gone 4");
    EXPECT_EQ(commented.changes, (std::vector<std::string>{"line 2, gone: unknown", "line 6, gone: unknown"}));
    EXPECT_EQ(comment_out(commented.text, {{"gone", "unknown"}}).text, commented.text);
}

TEST(CarryConfiguration, LeavesPgStewardOutOfWhatIsPreloaded) {
    EXPECT_EQ(preload_without_steward(" pg_stat_statements, $libdir/pg_steward ,auto_explain,"), "pg_stat_statements,auto_explain");
    EXPECT_EQ(preload_without_steward("pg_steward"), "");
}

TEST(CarryConfiguration, KnowsWhatAShellWouldUnderstandAsSomethingElse) {
    EXPECT_TRUE(can_be_server_option("config_file=/a b/c.conf"));
    for (const char* text : {"it's", "a\"b", "a\\b", "$HOME", "`ls`", "a\nb"}) EXPECT_FALSE(can_be_server_option(text)) << text;
}

}  // namespace
}  // namespace steward
