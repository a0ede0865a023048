#include "core/retention/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

namespace steward {
namespace {

using std::chrono::days;
using std::chrono::hours;
using ::testing::HasSubstr;

RetentionPolicy parsed(std::string_view text) {
    const auto policy = parse_retention(text);
    EXPECT_TRUE(policy.ok()) << text << ": " << policy.error().to_string();
    return policy.ok() ? *policy : RetentionPolicy();
}

TEST(RetentionPolicy, OfAnEmptyTextIsEmpty) {
    for (const char* text : {"", "  ", ",", " ,\t\n"}) EXPECT_TRUE(parsed(text).empty()) << '"' << text << '"';
    EXPECT_EQ(to_string(RetentionPolicy()), "");
}

TEST(RetentionPolicy, ReadsEveryItem) {
    EXPECT_EQ(parsed("7"), (RetentionPolicy{.count = 7}));
    EXPECT_EQ(parsed("30d"), (RetentionPolicy{.window = days(30)}));
    EXPECT_EQ(parsed("12h"), (RetentionPolicy{.window = hours(12)}));
    EXPECT_EQ(parsed("8w"), (RetentionPolicy{.window = days(56)}));
    EXPECT_EQ(parsed("daily=7"), (RetentionPolicy{.daily = 7}));
    EXPECT_EQ(parsed("weekly=4"), (RetentionPolicy{.weekly = 4}));
    EXPECT_EQ(parsed("monthly=12"), (RetentionPolicy{.monthly = 12}));
    EXPECT_EQ(parsed("yearly=5"), (RetentionPolicy{.yearly = 5}));
    for (const char* text : {"7", "12h", "daily=1", "weekly=1", "monthly=1", "yearly=1"}) EXPECT_FALSE(parsed(text).empty()) << text;
}

TEST(RetentionPolicy, TakesItemsInAnyOrderBetweenCommasOrBlanks) {
    const RetentionPolicy policy{.count = 7, .window = days(30), .weekly = 4, .yearly = 5};
    for (const char* text : {"7, 30d, weekly=4, yearly=5", "yearly=5 weekly=4\t30d\n7", ",,30d ,7,,yearly=5,weekly=4 ,"})
        EXPECT_EQ(parsed(text), policy) << text;
    EXPECT_EQ(to_string(policy), "7, 30d, weekly=4, yearly=5");
}

TEST(RetentionPolicy, NamesTheItemThatMakesNoSense) {
    const auto detail_of = [](std::string_view text, std::string_view item) {
        const auto policy = parse_retention(text);
        EXPECT_FALSE(policy.ok()) << text;
        if (policy.ok()) return std::string();
        EXPECT_EQ(policy.error().code(), ErrorCode::invalid_argument);
        EXPECT_EQ(policy.error().message(), "invalid item \"" + std::string(item) + "\" in retention policy");
        EXPECT_EQ(policy.error().object(), item);
        EXPECT_THAT(policy.error().hint(), HasSubstr("\"7, 30d, weekly=4\""));
        return policy.error().detail();
    };
    for (const char* item : {"seven", "-1", "+7", "7.5", "30m", "30days", "30D", "d", "hourly=3", "Daily=3", "daily", "daily=", "daily=3d", "daily=-3",
                             "=3", "=", "7;", "weekly=4=5"})
        EXPECT_THAT(detail_of("monthly=2, " + std::string(item), item), HasSubstr("An item is a count")) << item;
    EXPECT_THAT(detail_of("daily = 7", "daily"), HasSubstr("without blanks"));
}

TEST(RetentionPolicy, RefusesRulesThatKeepNothing) {
    for (const char* text : {"0", "00", "0d", "daily=0", "yearly=0"})
        EXPECT_EQ(parse_retention(text).error().detail(), "It would keep nothing. Leave it out instead.") << text;
    EXPECT_FALSE(parse_retention("0, daily=7").ok());
}

TEST(RetentionPolicy, RefusesNumbersBeyondSense) {
    EXPECT_EQ(parsed("999999").count, 999999u);
    EXPECT_EQ(parsed("999999w").window, hours(999999ll * 168));
    for (const char* text : {"1000000", "1000000h", "4294967296", "99999999999999999999", "monthly=1000000"})
        EXPECT_EQ(parse_retention(text).error().detail(), "The number must be between 1 and 999999.") << text;
}

TEST(RetentionPolicy, RefusesAnItemGivenTwice) {
    EXPECT_EQ(parse_retention("7 8").error().detail(), "The count is given twice.");
    EXPECT_EQ(parse_retention("7d, 8w").error().detail(), "The window is given twice.");
    EXPECT_EQ(parse_retention("daily=7, daily=7").error().detail(), "The number of daily backups is given twice.");
}

TEST(RetentionPolicy, ReadsWhatItRenders) {
    std::mt19937_64 random(20261120);
    for (int i = 0; i < 2000; i++) {
        RetentionPolicy policy;
        if (random() % 2) policy.count = 1 + random() % 999999;
        if (random() % 2) policy.window = hours(1 + random() % 999999);
        for (unsigned* places : {&policy.daily, &policy.weekly, &policy.monthly, &policy.yearly})
            if (random() % 2) *places = 1 + random() % 999999;
        EXPECT_EQ(parsed(to_string(policy)), policy) << to_string(policy);
    }
}

}  // namespace
}  // namespace steward
