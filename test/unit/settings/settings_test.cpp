#include "core/settings/settings.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

namespace steward {
namespace {

TEST(Settings, HaveTheDocumentedDefaults) {
    const Settings settings = parse_settings({}).value();
    EXPECT_TRUE(settings.repositories.empty());
    EXPECT_EQ(settings.cluster, "main");
    EXPECT_EQ(settings.archive_workers, 2);
    EXPECT_EQ(to_string(settings.compression), "zstd:3");
    EXPECT_EQ(settings.backup_workers, 2);
    EXPECT_TRUE(settings.retention.empty());
    EXPECT_FALSE(settings.backup_schedule || settings.verify_schedule || settings.drill_schedule);
    EXPECT_EQ(settings.timezone, "");
    EXPECT_EQ(settings.schedule_jitter.count(), 0);
    EXPECT_EQ(settings.database, "postgres");
    EXPECT_EQ(settings.program, "");
}

TEST(Settings, AreReadFromTheirTexts) {
    const Settings settings = parse_settings({{"repository", "file:///srv/a, /srv/b"},
                                              {"cluster", "shop-1"},
                                              {"archive_workers", "64"},
                                              {"compression", "none"},
                                              {"backup_workers", "1"},
                                              {"retention", "30d, weekly=4"},
                                              {"backup_schedule", "30 2 * * *"},
                                              {"verify_schedule", "@weekly"},
                                              {"drill_schedule", " @monthly"},
                                              {"timezone", "utc"},
                                              {"schedule_jitter", "600"},
                                              {"database", "shop"},
                                              {"program", "/opt/pg_steward"}})
                                  .value();
    ASSERT_EQ(settings.repositories.size(), 2u);
    EXPECT_EQ(settings.repositories[1].to_string(), "file:///srv/b");
    EXPECT_EQ(settings.cluster, "shop-1");
    EXPECT_EQ(settings.archive_workers, 64);
    EXPECT_EQ(settings.compression.codec, Codec::kNone);
    EXPECT_EQ(settings.backup_workers, 1);
    EXPECT_EQ(to_string(settings.retention), "30d, weekly=4");
    EXPECT_EQ(settings.backup_schedule->expression(), "30 2 * * *");
    EXPECT_EQ(settings.verify_schedule->expression(), "@weekly");
    EXPECT_EQ(settings.drill_schedule->expression(), "@monthly");
    EXPECT_EQ(settings.timezone, "utc");
    EXPECT_EQ(settings.schedule_jitter, std::chrono::minutes(10));
    EXPECT_EQ(settings.database, "shop");
    EXPECT_EQ(settings.program, "/opt/pg_steward");
}

TEST(Settings, NameTheOneWhoseValueMakesNoSense) {
    const std::pair<const char*, const char*> kNonsense[] = {
        {"repository", "ftp://host/x"}, {"repository", "srv/pg"}, {"repository", "/srv/a,/srv/a"}, {"repository", ","},
        {"cluster", ""}, {"cluster", "a/b"}, {"cluster", ".."}, {"cluster", "-x"}, {"cluster", "a b"}, {"cluster", "\xc3\xa4"},
        {"archive_workers", "0"}, {"archive_workers", "65"}, {"archive_workers", "two"}, {"archive_workers", ""}, {"archive_workers", "2x"},
        {"archive_workers", "99999999999999999999"}, {"compression", "lz4"}, {"compression", "zstd:0"}, {"backup_workers", "-1"},
        {"database", ""}, {"program", "pg_steward"},
    };
    for (const auto& [name, text] : kNonsense) {
        const auto checked = check_setting(name, text);
        ASSERT_FALSE(checked.ok()) << name << " = " << text;
        EXPECT_EQ(checked.error().code(), ErrorCode::configuration);
        EXPECT_EQ(checked.error().object(), "steward." + std::string(name));
        EXPECT_EQ(checked.error().message(), "invalid value for parameter \"steward." + std::string(name) + "\": \"" + text + "\"");
        EXPECT_TRUE(checked.error().detail().ends_with(".")) << checked.error().detail();
    }
}

TEST(Settings, TakeClusterNamesUpTo64Bytes) {
    EXPECT_TRUE(check_setting("cluster", std::string(64, 'x')).ok());
    EXPECT_FALSE(check_setting("cluster", std::string(65, 'x')).ok());
}

TEST(SettingsTable, HasUniqueNamesAndValidDefaults) {
    std::set<std::string_view> names;
    for (const SettingInfo& setting : all_settings()) {
        EXPECT_TRUE(names.insert(setting.name).second) << setting.name;
        EXPECT_TRUE(setting.description.ends_with(".")) << setting.name;
        EXPECT_TRUE(check_setting(setting.name, setting.default_text).ok()) << setting.name;
        if (setting.kind == SettingKind::kInteger) {
            EXPECT_EQ(std::to_string(setting.default_integer), setting.default_text) << setting.name;
            EXPECT_TRUE(check_setting(setting.name, std::to_string(setting.minimum)).ok()) << setting.name;
            EXPECT_TRUE(check_setting(setting.name, std::to_string(setting.maximum)).ok()) << setting.name;
            EXPECT_FALSE(check_setting(setting.name, std::to_string(setting.minimum - 1)).ok()) << setting.name;
            EXPECT_FALSE(check_setting(setting.name, std::to_string(setting.maximum + 1)).ok()) << setting.name;
        }
    }
}

}  // namespace
}  // namespace steward
