#include "program/configuration.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/configuration.h"
#include "core/restore/target_directory.h"

namespace steward {

namespace {

constexpr std::string_view kPrefix = "steward.";

/// The program's own file: every name in it must be a setting, so that a misspelt one does not stay unnoticed.
Result<SettingTexts> read_program_file(const std::filesystem::path& file) {
    TRY_ASSIGN(const Bytes content, read_file(file, 1 << 20));
    TRY_ASSIGN(const std::vector<ConfigurationEntry> entries, parse_configuration(as_text(content), file.native()));
    SettingTexts texts;
    for (const ConfigurationEntry& entry : entries) {
        std::string_view name = entry.name;
        if (name.starts_with(kPrefix)) name.remove_prefix(kPrefix.size());
        if (std::ranges::find(all_settings(), name, &SettingInfo::name) == all_settings().end())
            return Error(ErrorCode::configuration, formatted("unknown setting \"{}\" in file \"{}\", line {}", entry.name, file.native(), entry.line))
                .object(file.native());
        texts.insert_or_assign(std::string(name), entry.value);
    }
    return texts;
}

Result<SettingTexts> read_configured_file(const ConfigurationSources& sources) {
    if (!sources.config_file.empty()) return read_program_file(sources.config_file);
    if (const auto named = sources.environment("PG_STEWARD_CONFIG"); named && !named->empty()) return read_program_file(*named);
    Result<SettingTexts> texts = read_program_file(sources.default_config_file);
    if (!texts.ok() && texts.error().code() == ErrorCode::not_found) return SettingTexts();
    return texts;
}

/// `steward.*` of the server's files. Other names with the prefix belong to another release of the extension.
Result<SettingTexts> read_server_settings(const std::filesystem::path& data_directory) {
    SettingTexts texts;
    std::error_code ignored;  // who cannot look for the mark cannot read the configuration either, and that is reported
    if (data_directory.empty() || std::filesystem::exists(data_directory / kRestoreMarker, ignored)) return texts;
    TRY_ASSIGN(const ServerConfiguration server, read_server_configuration(data_directory));
    for (const SettingInfo& setting : all_settings())
        if (const auto found = server.find(formatted("{}{}", kPrefix, setting.name)); found != server.end())
            texts.emplace(setting.name, found->second);
    return texts;
}

}  // namespace

Environment process_environment() {
    return [](const std::string& name) -> std::optional<std::string> {
        const char* value = std::getenv(name.c_str());
        return value == nullptr ? std::nullopt : std::optional<std::string>(value);
    };
}

std::string flag_of(const SettingInfo& setting) {
    std::string flag = formatted("--{}", setting.name);
    std::ranges::replace(flag, '_', '-');
    return flag;
}

std::string variable_of(const SettingInfo& setting) {
    std::string variable = formatted("PG_STEWARD_{}", setting.name);
    std::ranges::transform(variable, variable.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    return variable;
}

Result<SettingTexts> resolve_setting_texts(const ConfigurationSources& sources) {
    SettingTexts texts = sources.flags;
    for (const SettingInfo& setting : all_settings())
        if (const auto value = sources.environment(variable_of(setting))) texts.emplace(setting.name, *value);
    // emplace and merge keep what is there: the first source wins.
    TRY_ASSIGN(SettingTexts from_file, read_configured_file(sources));
    texts.merge(from_file);
    TRY_ASSIGN(SettingTexts from_server, read_server_settings(sources.data_directory));
    texts.merge(from_server);
    return texts;
}

Result<Settings> resolve_settings(const ConfigurationSources& sources) {
    TRY_ASSIGN(const SettingTexts texts, resolve_setting_texts(sources));
    return parse_settings(texts);
}

}  // namespace steward
