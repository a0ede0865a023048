#include "core/start/start_request.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

namespace steward {
namespace {

using testing::HasSubstr;
using Variables = std::map<std::string, std::string, std::less<>>;

/// The error of a request by variables alone; empty when there is none.
std::string problem_with(const Variables& variables) {
    const Result<StartRequest> request = make_start_request({}, variables);
    return request.ok() ? "" : std::string(info(request.error().code()).name) + ": " + request.error().message();
}

TEST(StartRequest, IsToStartTheServerAndCheckPermissionsByDefault) {
    const StartRequest request = make_start_request({}, {}).value();
    EXPECT_TRUE(request.start);
    EXPECT_TRUE(request.permissions);
    EXPECT_FALSE(request.major);
    EXPECT_EQ(request.password, PasswordSource::kNone);
}

TEST(StartRequest, TakesSwitchesAsTheServersSettingsHaveThem) {
    for (const char* on : {"on", "ON", "true", "yes", "1", ""}) EXPECT_TRUE(make_start_request({}, {{"START_POSTGRES", on}})->start) << on;
    for (const char* off : {"off", "Off", "false", "no", "0"}) EXPECT_FALSE(make_start_request({}, {{"START_POSTGRES", off}})->start) << off;
}

TEST(StartRequest, UpgradesByFlagOrVariable) {
    EXPECT_FALSE(make_start_request({}, {})->auto_upgrade);
    EXPECT_TRUE(make_start_request({}, {{"AUTO_UPGRADE", "yes"}})->auto_upgrade);
    EXPECT_FALSE(make_start_request({}, {{"AUTO_UPGRADE", "0"}})->auto_upgrade);
    EXPECT_THAT(problem_with({{"AUTO_UPGRADE", "18"}}), HasSubstr("configuration: environment variable \"AUTO_UPGRADE\""));
    StartFlags flags;
    flags.auto_upgrade = true;
    EXPECT_TRUE(make_start_request(flags, {{"AUTO_UPGRADE", "off"}})->auto_upgrade);
}

TEST(StartRequest, TakesAMethodOfUpgradesOrLeavesTheChoice) {
    EXPECT_FALSE(make_start_request({}, {})->upgrade_method);
    StartFlags flags;
    flags.upgrade_method = "auto";
    EXPECT_FALSE(make_start_request(flags, {})->upgrade_method);
    flags.upgrade_method = "copy-file-range";
    EXPECT_EQ(make_start_request(flags, {})->upgrade_method, TransferMethod::kCopyFileRange);
    flags.upgrade_method = "magic";
    EXPECT_EQ(make_start_request(flags, {}).error().code(), ErrorCode::usage);
}

TEST(StartRequest, RefusesVariablesThatAreNotUnderstood) {
    for (const char* value : {"maybe", "2", " on", "onn"})
        EXPECT_THAT(problem_with({{"START_POSTGRES", value}}), HasSubstr("configuration: environment variable \"START_POSTGRES\"")) << value;
    for (const char* value : {"latest", "v18", "-18", "9.6", "18x", "99999999999"})
        EXPECT_THAT(problem_with({{"PG_VERSION", value}}), HasSubstr("configuration: environment variable \"PG_VERSION\"")) << value;
}

TEST(StartRequest, TakesVersionsOfServersAndPackages) {
    for (const char* text : {"17", "17.2", "17.2-1.pgdg120+1", "17rc1", "17~beta2-1", "17beta1", "17devel"}) EXPECT_EQ(parse_server_version(text).value(), 17) << text;
    for (const char* text : {"", "9", "seventeen", "17 ", "17,2"}) EXPECT_FALSE(parse_server_version(text).ok()) << text;
}

TEST(StartRequest, LetsFlagsWinOverVariables) {
    StartFlags flags;
    flags.version = "18";
    flags.reset_role = "app";
    flags.password_file = "/run/secrets/app";
    flags.prepare_only = true;
    const Variables variables = {{"PG_VERSION", "17"}, {"RESET_PASSWORD", "other"}, {"POSTGRES_PASSWORD", "given"}, {"START_POSTGRES", "on"}};
    const StartRequest request = make_start_request(flags, variables).value();
    EXPECT_EQ(request.major, 18);
    EXPECT_EQ(request.reset_role, "app");
    EXPECT_EQ(request.password, PasswordSource::kFile);
    EXPECT_EQ(request.password_file.native(), "/run/secrets/app");
    EXPECT_FALSE(request.start);
}

TEST(StartRequest, WantsOnePasswordForARole) {
    EXPECT_THAT(problem_with({{"RESET_PASSWORD", "app"}}), HasSubstr("usage: a password is to be set"));
    EXPECT_THAT(problem_with({{"RESET_PASSWORD", "app"}, {"POSTGRES_PASSWORD", ""}}), HasSubstr("usage: a password is to be set"));
    EXPECT_THAT(problem_with({{"POSTGRES_PASSWORD_FILE", "/f"}, {"POSTGRES_PASSWORD", "given"}}), HasSubstr("are both set"));
    EXPECT_EQ(problem_with({{"RESET_PASSWORD", "app"}, {"POSTGRES_PASSWORD", "given"}}), "");
    EXPECT_EQ(problem_with({{"RESET_PASSWORD", "app"}, {"POSTGRES_PASSWORD", ""}, {"POSTGRES_PASSWORD_FILE", "/f"}}), "");
    StartFlags flags;
    flags.enable_login = true;
    EXPECT_FALSE(make_start_request(flags, {}).ok());
}

TEST(StartRequest, RefusesAnotherDataDirectoryAmongTheServersOptions) {
    StartFlags flags;
    flags.server_options = {"-c", "work_mem=1MB"};
    EXPECT_TRUE(make_start_request(flags, {}).ok());
    flags.server_options = {"-D/elsewhere"};
    EXPECT_FALSE(make_start_request(flags, {}).ok());
}

}  // namespace
}  // namespace steward
