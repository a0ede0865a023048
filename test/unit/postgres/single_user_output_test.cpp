#include "core/postgres/single_user_output.h"

#include <gtest/gtest.h>

#include "core/base/bytes.h"
#include "core/base/format.h"

namespace steward {
namespace {

constexpr std::string_view kType = "\t(typeid = 25, len = -1, typmod = -1, byval = f)\n";

std::string title(int number) { return formatted("\t{:2}: c{}{}", number, number, kType); }
std::string value(int number, std::string_view text) { return formatted("\t{:2}: c{} = \"{}\"{}", number, number, to_hex(as_bytes(text)), kType); }
constexpr std::string_view kEnd = "\t----\n";

TEST(SingleUserOutput, HasRowsAndNulls) {
    const std::string output = formatted("\nPostgreSQL stand-alone backend 15.14 (Debian 15.14-0+deb12u1)\nbackend> {}{}{}{}{}{}{}{}backend> ", title(1), title(2), kEnd,
                                         value(1, "a"), value(2, ""), kEnd, value(2, "b"), kEnd);
    const auto rows = parse_single_user_rows(output, 2).value();
    ASSERT_EQ(rows.size(), 2u);
    EXPECT_EQ(rows[0], (SingleUserRow{"a", ""}));
    EXPECT_EQ(rows[1], (SingleUserRow{std::nullopt, "b"}));
}

TEST(SingleUserOutput, MayBeEmpty) {
    EXPECT_TRUE(parse_single_user_rows("backend> backend> ", 1).value().empty());
    EXPECT_TRUE(parse_single_user_rows(title(1) + std::string(kEnd), 1).value().empty());
}

TEST(SingleUserOutput, KeepsHostileValues) {
    for (const std::string& text : {std::string("\n\t----\n\t 1: c1 = \"61\"\t(typeid = 25"), std::string("\"\n"), std::string("backend> "), std::string("a\0b\xff", 4)}) {
        const auto rows = parse_single_user_rows(formatted("backend> {}{}{}{}", title(1), kEnd, value(1, text), kEnd), 1).value();
        ASSERT_EQ(rows.size(), 1u);
        EXPECT_EQ(rows[0][0], text);
    }
}

TEST(SingleUserOutput, RefusesWhatItDoesNotUnderstand) {
    const std::string head = title(1) + std::string(kEnd);
    for (const std::string& output : {head + formatted("\t 1: c1 = \"it's\"{}{}", kType, kEnd), head + value(2, "a") + std::string(kEnd), value(1, "a") + std::string(kEnd),
                                      head + "something\n", head + value(1, "a"), head + title(1), head + "\t 0: c1 = \"61\"" + std::string(kType)})
        EXPECT_EQ(parse_single_user_rows(output, 1).error().code(), ErrorCode::server_raised) << output;
}

TEST(SingleUserMessages, QuoteNoStatements) {
    EXPECT_EQ(without_statements("WARNING:  a\nERROR:  b\n\tmore of b\nDETAIL:  c\nCONTEXT:  SQL statement \"secret\n\tsecret\"\nSTATEMENT:  secret\n\t\n\tsecret\nLOG:  d\nQUERY:  secret"),
              "WARNING:  a\nERROR:  b\n\tmore of b\nDETAIL:  c\nLOG:  d\n");
    EXPECT_EQ(without_statements(""), "");
}

}  // namespace
}  // namespace steward
