#include "core/postgres/sql_quoting.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

TEST(SqlIdentifiers, AreQuoted) {
    EXPECT_EQ(quote_sql_identifier("Some name"), R"("Some name")");
    EXPECT_EQ(quote_sql_identifier(R"(a"b\c'd)"), R"("a""b\c'd")");
    EXPECT_EQ(quote_sql_identifier("\xc3\xbc\xff"), "\"\xc3\xbc\xff\"");
}

TEST(SqlIdentifiers, HaveNoNewlines) {
    EXPECT_EQ(quote_sql_identifier("a;\n\nDROP"), R"(U&"a;\000A\000ADROP")");
    EXPECT_EQ(quote_sql_identifier("a\\\"\x7f\t"), R"(U&"a\\""\007F\0009")");
}

TEST(SqlLiterals, AreQuoted) {
    EXPECT_EQ(quote_sql_literal("a 'b'"), "'a ''b'''");
    EXPECT_EQ(quote_sql_literal(""), "''");
    EXPECT_EQ(quote_sql_literal("a\\'b"), R"(E'a\\''b')");
    EXPECT_EQ(quote_sql_literal("a;\n\nf"), R"(E'a;\x0A\x0Af')");
    EXPECT_EQ(quote_sql_literal("\xc3\xbc"), "'\xc3\xbc'");
}

}  // namespace
}  // namespace steward
