#include "program/configuration.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "base/temporary_directory.h"

namespace steward {
namespace {

using ::testing::HasSubstr;

class ResolveSettings : public ::testing::Test {
protected:
    ResolveSettings() {
        sources_.environment = [this](const std::string& name) -> std::optional<std::string> {
            const auto found = variables_.find(name);
            return found == variables_.end() ? std::nullopt : std::optional(found->second);
        };
        sources_.default_config_file = directory_.path() / "absent.conf";
        sources_.data_directory = directory_.path();
    }

    std::filesystem::path write(const std::string& name, const std::string& text) const {
        std::ofstream(directory_.path() / name) << text;
        return directory_.path() / name;
    }
    std::string cluster() const {
        const auto settings = resolve_settings(sources_);
        return settings.ok() ? settings->cluster : settings.error().message();
    }

    TemporaryDirectory directory_;
    std::map<std::string, std::string> variables_;
    ConfigurationSources sources_;
};

TEST_F(ResolveSettings, TakesTheFirstSourceThatHasASetting) {
    EXPECT_EQ(cluster(), "main");
    write("postgresql.conf", "steward.cluster = 'from_server'\nshared_buffers = 1GB\n");
    EXPECT_EQ(cluster(), "from_server");
    write("postgresql.auto.conf", "steward.cluster = 'from_auto'\n");
    EXPECT_EQ(cluster(), "from_auto");
    sources_.default_config_file = write("default.conf", "cluster = from_default\n");
    EXPECT_EQ(cluster(), "from_default");
    variables_["PG_STEWARD_CONFIG"] = write("named.conf", "steward.cluster = from_named\n").native();
    EXPECT_EQ(cluster(), "from_named");
    sources_.config_file = write("flag.conf", "cluster = from_flag_file\n").native();
    EXPECT_EQ(cluster(), "from_flag_file");
    variables_["PG_STEWARD_CLUSTER"] = "from_environment";
    EXPECT_EQ(cluster(), "from_environment");
    sources_.flags["cluster"] = "from_flag";
    EXPECT_EQ(cluster(), "from_flag");
}

TEST_F(ResolveSettings, MixesSettingsOfSeveralSources) {
    write("postgresql.conf", "steward.repository = '/srv/pg'\n");
    variables_["PG_STEWARD_CLUSTER"] = "other";
    const auto settings = resolve_settings(sources_);
    ASSERT_TRUE(settings.ok());
    EXPECT_EQ(settings->repositories.at(0).to_string(), "file:///srv/pg");
    EXPECT_EQ(settings->cluster, "other");
}

// A restore that was killed leaves files whose content is still to come; a directory that is merely damaged may name another cluster.
TEST_F(ResolveSettings, ReadsNoDataDirectoryThatIsHalfRestored) {
    variables_["PG_STEWARD_REPOSITORY"] = "/srv/pg";
    write("postgresql.conf", std::string(100, '\0'));
    EXPECT_THAT(cluster(), HasSubstr("postgresql.conf\" line 1"));
    write("pg_steward.restore", "{}\n");
    EXPECT_EQ(cluster(), "main");
    write("postgresql.conf", "steward.cluster = 'from_server'\n");
    EXPECT_EQ(cluster(), "main");
}

TEST_F(ResolveSettings, RefusesAnUnknownSettingWithFileAndLine) {
    sources_.config_file = write("flag.conf", "cluster = a\n\nclutser = b\n").native();
    EXPECT_THAT(cluster(), HasSubstr("unknown setting \"clutser\""));
    EXPECT_THAT(cluster(), HasSubstr("flag.conf\", line 3"));
}

TEST_F(ResolveSettings, RefusesAConfigurationFileThatWasNamedAndIsMissing) {
    sources_.config_file = (directory_.path() / "nowhere.conf").native();
    EXPECT_THAT(cluster(), HasSubstr("nowhere.conf"));
}

TEST_F(ResolveSettings, NamesFlagsAndVariablesAfterTheTable) {
    for (const SettingInfo& setting : all_settings())
        if (setting.name == "backup_workers") {
            EXPECT_EQ(flag_of(setting), "--backup-workers");
            EXPECT_EQ(variable_of(setting), "PG_STEWARD_BACKUP_WORKERS");
        }
}

}  // namespace
}  // namespace steward
