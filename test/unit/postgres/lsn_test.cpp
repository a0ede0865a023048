#include "core/postgres/lsn.h"

#include <gtest/gtest.h>

#include "core/base/format.h"

namespace steward {
namespace {

TEST(Lsn, PrintsAndParsesTheServersForm) {
    EXPECT_EQ(to_string(Lsn{0x3000028}), "0/3000028");
    EXPECT_EQ(formatted("{}", Lsn{0x1234567800000000}), "12345678/0");
    EXPECT_EQ(parse_lsn("0/3000028").value(), Lsn{0x3000028});
    EXPECT_EQ(parse_lsn("ab/CDEF0123").value(), Lsn{0xABCDEF0123});
    EXPECT_EQ(parse_lsn("FFFFFFFF/FFFFFFFF").value(), Lsn{UINT64_MAX});
    EXPECT_EQ(parse_lsn("0/03000028").value(), Lsn{0x3000028});
}

TEST(Lsn, RefusesWhatIsNoPosition) {
    for (const char* text : {"", "/", "0/", "/0", "0", "1/2/3", "0x1/2", "-1/2", "+1/2", " 1/2", "1/2 ", "123456789/0", "G/1"}) {
        const auto lsn = parse_lsn(text);
        ASSERT_FALSE(lsn.ok()) << text;
        EXPECT_EQ(lsn.error().code(), ErrorCode::invalid_argument);
    }
}

TEST(Lsn, CountsInBytes) {
    EXPECT_EQ(Lsn{100} + 28, Lsn{128});
    EXPECT_EQ(Lsn{128} - Lsn{100}, 28u);
    EXPECT_LT(Lsn{100}, Lsn{128});
    EXPECT_FALSE(Lsn{}.valid());
}

}  // namespace
}  // namespace steward
