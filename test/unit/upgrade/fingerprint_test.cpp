#include "core/upgrade/fingerprint.h"

#include <gtest/gtest.h>

namespace steward {
namespace {

TEST(UpgradeFingerprint, ComparesLinesAndTellsBothSides) {
    const Fingerprint before = {"table a: 1 rows", "table b: 2 rows", "table c: 3 rows"};
    const Fingerprint after = {"table a: 1 rows", "table b: 1 rows", "table d: 0 rows"};
    EXPECT_EQ(compare_fingerprints(before, after), (std::vector<std::string>{"after:  table b: 1 rows", "before: table b: 2 rows", "before: table c: 3 rows", "after:  table d: 0 rows"}));
    EXPECT_TRUE(compare_fingerprints(before, before).empty());
}

TEST(UpgradeFingerprint, QuotesNamesInTheQueryThatCounts) {
    const std::vector<CountedRelation> relations = {{"we\"ird", "a;b", false}, {"s", "numbers", true}};
    EXPECT_EQ(count_query(relations),
              "FROM (VALUES (0, (SELECT count(*)::text FROM ONLY \"we\"\"ird\".\"a;b\")), (1, (SELECT concat_ws(' ', last_value, is_called) FROM \"s\".\"numbers\"))) v(i, line)");
    EXPECT_EQ(counted_line(relations[1], "7 t"), "sequence \"s\".\"numbers\": 7 t");
}

TEST(UpgradeFingerprint, KeepsEachLineOneLine) { EXPECT_EQ(escape_line("a\nb\\n"), "a\\nb\\\\n"); }

}  // namespace
}  // namespace steward
