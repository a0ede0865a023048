#include "core/upgrade/catalog_checks.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string>

namespace steward {
namespace {

/// Names of the checks that ask about what only some hops mind.
std::set<std::string> special_checks(const UpgradeHop& hop) {
    std::set<std::string> names;
    for (const CatalogCheck& check : catalog_checks()) {
        const bool is_general = check.applies({13, 14}) && check.applies({15, 16}) && check.applies({18, 19}) && check.applies({19, 20});
        if (!is_general && check.applies(hop)) names.emplace(check.name);
    }
    return names;
}

TEST(CatalogChecks, HaveNamesOfTheirOwn) {
    std::set<std::string_view> names;
    for (const CatalogCheck& check : catalog_checks()) EXPECT_TRUE(names.insert(check.name).second) << check.name;
}

TEST(CatalogChecks, AskWhatTheHopMindsAndNoMore) {
    using Names = std::set<std::string>;
    EXPECT_EQ(special_checks({13, 14}), (Names{"conversions", "polymorphic_functions", "postfix_operators", "subscriptions"}));
    EXPECT_EQ(special_checks({13, 18}), (Names{"aclitem_columns", "conversions", "not_null_in_children", "polymorphic_functions", "postfix_operators", "subscriptions"}));
    EXPECT_EQ(special_checks({14, 15}), (Names{"subscriptions"}));
    EXPECT_EQ(special_checks({15, 16}), (Names{"aclitem_columns", "moved_into_data_directory", "subscriptions"}));
    EXPECT_EQ(special_checks({16, 17}), (Names{"moved_into_data_directory", "subscriptions"}));
    EXPECT_EQ(special_checks({17, 18}), (Names{"moved_into_data_directory", "not_null_in_children", "subscriptions_in_between", "unusable_slots"}));
    EXPECT_EQ(special_checks({18, 19}), (Names{"gist_inet_indexes", "moved_into_data_directory", "removed_encodings", "subscriptions_in_between", "unprintable_names", "unusable_slots"}));
}

TEST(CatalogChecks, NameACureOrSayInWordsWhatToDo) {
    for (const CatalogCheck& check : catalog_checks()) EXPECT_TRUE(check.cure != "NULL" || !check.detail.empty()) << check.name;
}

}  // namespace
}  // namespace steward
