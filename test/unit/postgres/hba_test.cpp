#include "core/postgres/hba.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

TEST(Hba, AsksForPasswords) {
    EXPECT_TRUE(may_ask_for_passwords("local all all peer\nhost all all 127.0.0.1/32 scram-sha-256\n"));
    EXPECT_TRUE(may_ask_for_passwords("host all all 127.0.0.1/32 md5"));
    EXPECT_TRUE(may_ask_for_passwords("host\tall\tall\tsamenet\t\"password\" # comment"));
    EXPECT_TRUE(may_ask_for_passwords("include other.conf"));
}

TEST(Hba, MayNotAskForPasswords) {
    EXPECT_FALSE(may_ask_for_passwords(""));
    EXPECT_FALSE(may_ask_for_passwords("local all all trust\n# host all all all md5\nhost all all ::1/128 ident # scram-sha-256\n"));
}

}  // namespace
}  // namespace steward
