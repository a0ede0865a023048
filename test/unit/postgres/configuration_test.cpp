#include "core/postgres/configuration.h"

#include <gtest/gtest.h>
#include <stdlib.h>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "postgres/real_server.h"

namespace steward {
namespace {

class ConfigurationFiles : public ::testing::Test {
protected:
    void SetUp() override {
        char pattern[] = "/tmp/steward-test-XXXXXX";
        directory_ = ::mkdtemp(pattern);
    }
    void TearDown() override { std::filesystem::remove_all(directory_); }
    void write(const std::string& name, std::string_view text) {
        std::filesystem::create_directories((directory_ / name).parent_path());
        ASSERT_TRUE(write_file_durably(directory_ / name, as_bytes(text)).ok());
    }
    std::filesystem::path directory_;
};

std::string only_value(std::string_view text) {
    const auto entries = parse_configuration(text, "test.conf");
    if (!entries.ok()) return entries.error().to_string();
    return entries->size() == 1 ? entries->front().value : "not one entry";
}

TEST(Configuration, ReadsEveryFormOfValue) {
    EXPECT_EQ(only_value("port = 5432"), "5432");
    EXPECT_EQ(only_value("port 5432  # comment"), "5432");
    EXPECT_EQ(only_value("\tport=5432\r\n"), "5432");
    EXPECT_EQ(only_value("work_mem = 4MB"), "4MB");
    EXPECT_EQ(only_value("geqo_seed = -0.5e-3"), "-0.5e-3");
    EXPECT_EQ(only_value("x = 0x1F"), "0x1F");
    EXPECT_EQ(only_value("log_timezone = Europe/Berlin"), "Europe/Berlin");
    EXPECT_EQ(only_value("x = ''"), "");
    EXPECT_EQ(only_value("x = 'it''s \\'a\\' # b\\\\ \\n\\101'"), "it's 'a' # b\\ \nA");
}

TEST(Configuration, FoldsNamesAndCountsLines) {
    const auto entries = parse_configuration("# first\n\nSteward.Repository = 'x'\n  Port = 1\n", "test.conf").value();
    ASSERT_EQ(entries.size(), 2u);
    EXPECT_EQ(entries[0].name, "steward.repository");
    EXPECT_EQ(entries[0].line, 3);
    EXPECT_EQ(entries[1].name, "port");
    EXPECT_EQ(entries[1].line, 4);
}

TEST(Configuration, NamesFileAndLineOfASyntaxError) {
    for (const char* text : {"\nport", "\nport =", "\nport = 'open", "\n= 5", "\nport = 1 2", "\n'x' = 1", "\nport = 'a' b",
                             "\nport == 1", "\n5 = 1", "\nx = 'a\\"}) {
        const auto entries = parse_configuration(text, "test.conf");
        ASSERT_FALSE(entries.ok()) << text;
        EXPECT_EQ(entries.error().code(), ErrorCode::configuration);
        EXPECT_NE(entries.error().message().find("\"test.conf\" line 2"), std::string::npos) << entries.error().message();
    }
}

TEST(Configuration, QuotesAnyValueSoThatItComesBack) {
    for (const char* value :
         {"", "plain", "it's", "back\\slash", "new\nline\r", "# no comment", "'", "\\'", "cp \"%p\" '/a b/%f'", "\xC3\xA4"})
        EXPECT_EQ(only_value("x = " + quote_configuration_value(value)), value);
    EXPECT_EQ(quote_configuration_value("it's"), "'it''s'");
    EXPECT_EQ(render_configuration({{"b", "2"}, {"a", "1"}}), "a = '1'\nb = '2'\n");
}

TEST(Configuration, ChangesOnlyTheNamedLines) {
    const std::string text =
        "# Do not edit\nport = '1'\nPORT '2'  # again\n\nwork_mem = '4MB'\n  restore_command = 'x'\nnonsense line\n";
    EXPECT_EQ(set_configuration(text, {{"port", "3"}, {"restore_command", std::nullopt}, {"absent", std::nullopt}}),
              "# Do not edit\n\nwork_mem = '4MB'\nnonsense line\nport = '3'\n");
    EXPECT_EQ(set_configuration("", {{"port", "3"}}), "port = '3'\n");
    EXPECT_EQ(set_configuration("a = 1", {{"port", "3"}}), "a = 1\nport = '3'\n");
    EXPECT_EQ(set_configuration("a = 1", {{"port", std::nullopt}}), "a = 1");
}

TEST_F(ConfigurationFiles, LastSettingWinsThroughIncludes) {
    write("postgresql.conf",
          "a = 1\ninclude 'sub/one.conf'\ninclude_if_exists = 'absent.conf'\ninclude_dir 'conf.d'\nf = main\n");
    write("sub/one.conf", "a = 2\ninclude 'two.conf'\n");
    write("sub/two.conf", "b = two\n");
    write("conf.d/10.conf", "c = ten\nd = ten\nf = ten\n");
    write("conf.d/20.conf", "d = twenty\n");
    write("conf.d/.hidden.conf", "d = hidden\n");
    write("conf.d/30.txt", "d = text\n");
    write("postgresql.auto.conf", "e = auto\na = 'auto'\n");
    const auto settings = read_server_configuration(directory_);
    ASSERT_TRUE(settings.ok()) << settings.error().to_string();
    EXPECT_EQ(*settings,
              (ServerConfiguration{{"a", "auto"}, {"b", "two"}, {"c", "ten"}, {"d", "twenty"}, {"e", "auto"}, {"f", "main"}}));
}

TEST_F(ConfigurationFiles, MissingFilesAreEmptyOnes) { EXPECT_TRUE(read_server_configuration(directory_).value().empty()); }

TEST_F(ConfigurationFiles, ReportsMissingIncludesAndLoops) {
    write("postgresql.conf", "include 'absent.conf'\n");
    EXPECT_EQ(read_server_configuration(directory_).error().code(), ErrorCode::configuration);
    write("postgresql.conf", "include 'postgresql.conf'\n");
    const auto loop = read_server_configuration(directory_);
    ASSERT_FALSE(loop.ok());
    EXPECT_NE(loop.error().message().find("nesting depth"), std::string::npos);
}

TEST(ConfigurationOfARealServer, IsReadAsTheServerReadsIt) {
    const auto servers = installed_servers();
    REQUIRE_REAL_SERVERS(servers);
    for (const auto& installed : servers) {
        RealServer server(installed);
        const std::string odd = "it's a \\ \"path\" # /%p\twith\ttabs";
        const auto file = server.data() / "postgresql.auto.conf";
        const std::string before(as_text(read_file(file).value()));
        const std::string after = set_configuration(before, {{"restore_command", odd}, {"work_mem", "5MB"}});
        ASSERT_TRUE(write_file_durably(file, as_bytes(after), 0644).ok());
        server.start();
        EXPECT_EQ(server.sql("show restore_command"), odd);
        const auto ours = read_server_configuration(server.data()).value();
        EXPECT_EQ(ours.at("work_mem"), "5MB");
        EXPECT_EQ(server.sql("show lc_messages"), ours.at("lc_messages"));
        EXPECT_EQ(server.sql("select count(*) from pg_file_settings where error is not null"), "0");
    }
}

}  // namespace
}  // namespace steward
