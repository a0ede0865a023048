#include "core/start/start_request.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "core/base/format.h"

namespace steward {

namespace {

using Variables = std::map<std::string, std::string, std::less<>>;

/// Releases before 10 have two numbers for what is one since.
constexpr int kFirstOneNumber = 10;

std::string value_of(const Variables& environment, std::string_view name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string() : found->second;
}

Error bad_variable(std::string_view name, std::string_view value, std::string hint) {
    return Error(ErrorCode::configuration, formatted("environment variable \"{}\" has a value that makes no sense: \"{}\"", name, value))
        .hint(std::move(hint))
        .object(std::string(name));
}

/// A switch, as the server's settings have them.
std::optional<bool> parse_switch(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    if (text == "on" || text == "true" || text == "yes" || text == "1") return true;
    if (text == "off" || text == "false" || text == "no" || text == "0") return false;
    return std::nullopt;
}

Result<std::optional<int>> choose_major(const StartFlags& flags, const Variables& environment) {
    if (!flags.version.empty()) {
        TRY_ASSIGN(const int major, parse_server_version(flags.version));
        return std::optional(major);
    }
    const std::string text = value_of(environment, kVersionVariable);
    if (text.empty()) return std::optional<int>();
    const Result<int> major = parse_server_version(text);
    if (!major.ok()) return bad_variable(kVersionVariable, text, "Use a major version, for example 18.");
    return std::optional(*major);
}

Result<bool> read_switch(const Variables& environment, std::string_view name, bool usual) {
    const std::string text = value_of(environment, name);
    const std::optional<bool> value = text.empty() ? usual : parse_switch(text);
    if (!value) return bad_variable(name, text, "Use on or off.");
    return *value;
}

Result<std::optional<TransferMethod>> choose_upgrade_method(const std::string& text) {
    if (text.empty() || text == "auto") return std::optional<TransferMethod>();
    const auto method = parse_transfer_method(text);
    if (method) return method;
    return Error(ErrorCode::usage, formatted("there is no upgrade method \"{}\"", text)).hint("There are auto, copy, clone, copy-file-range, link, swap and dump.");
}

Result<void> choose_password(const StartFlags& flags, const Variables& environment, StartRequest& request) {
    const bool has_variable = !value_of(environment, kPasswordVariable).empty();
    const std::string file = value_of(environment, kPasswordFileVariable);
    if (flags.password_file.empty() && has_variable && !file.empty())
        return Error(ErrorCode::configuration, formatted("environment variables \"{}\" and \"{}\" are both set", kPasswordVariable, kPasswordFileVariable))
            .hint("Set one of them.");
    request.password_file = !flags.password_file.empty() ? flags.password_file : file;
    request.password = !request.password_file.empty() ? PasswordSource::kFile : has_variable ? PasswordSource::kVariable : PasswordSource::kNone;
    if (!request.reset_role.empty() && request.password == PasswordSource::kNone)
        return Error(ErrorCode::usage, "a password is to be set, and none is given")
            .hint(formatted("Give it with --password-file, {} or {}.", kPasswordFileVariable, kPasswordVariable));
    if (request.reset_role.empty() && request.enable_login) return Error(ErrorCode::usage, "--enable-login needs --reset-password");
    return {};
}

Result<void> check_server_options(const std::vector<std::string>& options) {
    if (std::ranges::none_of(options, [](const std::string& option) { return option.starts_with("-D"); })) return {};
    return Error(ErrorCode::usage, "the server's options cannot name a data directory").hint("Name it with --data-dir before the \"--\".");
}

}  // namespace

Result<int> parse_server_version(std::string_view text) {
    constexpr std::string_view kMore[] = {".", "-", "~", "+", "rc", "beta", "alpha", "devel"};
    int major = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), major);
    const std::string_view rest(end, text.data() + text.size());
    const bool ends_well = rest.empty() || std::ranges::any_of(kMore, [&](std::string_view beginning) { return rest.starts_with(beginning); });
    if (problem == std::errc() && major >= kFirstOneNumber && ends_well) return major;
    return Error(ErrorCode::invalid_argument, formatted("invalid version of PostgreSQL \"{}\"", text)).hint("Use a major version, for example 18.");
}

Result<StartRequest> make_start_request(const StartFlags& flags, const Variables& environment) {
    StartRequest request;
    request.seed = flags.seed;
    request.enable_login = flags.enable_login;
    request.permissions = !flags.skip_permissions;
    request.reset_role = flags.reset_role.empty() ? value_of(environment, kResetVariable) : flags.reset_role;
    TRY_ASSIGN(request.major, choose_major(flags, environment));
    TRY_ASSIGN(const bool starts, read_switch(environment, kStartVariable, true));
    request.start = starts && !flags.prepare_only;
    TRY_ASSIGN(const bool upgrades, read_switch(environment, kUpgradeVariable, false));
    request.auto_upgrade = upgrades || flags.auto_upgrade;
    TRY_ASSIGN(request.upgrade_method, choose_upgrade_method(flags.upgrade_method));
    TRY(choose_password(flags, environment, request));
    TRY(check_server_options(flags.server_options));
    request.server_options = flags.server_options;
    return request;
}

}  // namespace steward
