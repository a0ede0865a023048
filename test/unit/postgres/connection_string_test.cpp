#include "core/postgres/connection_string.h"

#include <gtest/gtest.h>

#include <vector>

namespace steward {
namespace {

TEST(RenderConnectionString, QuotesWhatHasToBeAndLeavesOutWhatIsNotGiven) {
    const std::vector<std::pair<std::string, std::string>> parameters = {{"host", "/run/my sockets"}, {"port", ""}, {"user", "o'ne\\"}, {"dbname", "x"}};
    const std::string text = render_connection_string(parameters);
    EXPECT_EQ(text, "host='/run/my sockets' user='o\\'ne\\\\' dbname=x");
    EXPECT_TRUE(check_connection_string(text).ok());
}

TEST(CheckConnectionString, TakesWhatTheLibraryTakes) {
    for (const char* text : {"", "host=a port = 5432", " host='a b' user=\\ x ", "sslmode=''", "postgresql://u@h:5432,h2/db?sslmode=require", "postgres://",
                             "options='-c a=password=x'", "passfile=/x"})
        EXPECT_TRUE(check_connection_string(text).ok()) << text;
}

TEST(CheckConnectionString, RefusesWhatTheLibraryRefuses) {
    for (const char* text : {"host", "host a=b", "=x", "host='a", "host='a\\'"}) EXPECT_FALSE(check_connection_string(text).ok()) << text;
}

TEST(CheckConnectionString, RefusesAPasswordWithoutRepeatingIt) {
    for (const char* text : {"host=a password=geheim", "password = 'geheim'", "sslpassword=geheim", "postgresql://u:geheim@h/db",
                             "postgres://h/db?sslmode=require&password=geheim", "postgres://h?pass%77ord=geheim"}) {
        const auto checked = check_connection_string(text);
        ASSERT_FALSE(checked.ok()) << text;
        EXPECT_EQ(checked.error().to_string().find("geheim"), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace steward
