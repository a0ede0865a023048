#include "program/commands.h"

#include <algorithm>
#include <cstdlib>
#include <string>

namespace steward {

SettingOptions::SettingOptions(CLI::App& app, const std::vector<std::string>& names) {
    for (const SettingInfo& setting : all_settings()) {
        if (std::ranges::find(names, setting.name) == names.end()) continue;
        const std::string name(setting.name);
        app.add_option_function<std::string>(
               flag_of(setting), [this, name](const std::string& value) { flags_[name] = value; }, std::string(setting.description))
            ->type_name("TEXT")
            ->group("Settings");
    }
    app.add_option("--config", config_file_, "Configuration file with settings (default: PG_STEWARD_CONFIG, /etc/pg_steward.conf)")
        ->type_name("FILE")
        ->group("Settings");
    app.add_option("-D,--data-dir", data_directory_, "Data directory of the database cluster (default: PGDATA)")->type_name("DIR")->group("Settings");
}

std::filesystem::path SettingOptions::data_directory() const {
    if (!data_directory_.empty()) return data_directory_;
    return process_environment()("PGDATA").value_or("");
}

Result<std::filesystem::path> SettingOptions::require_data_directory() const {
    const std::filesystem::path directory = data_directory();
    if (directory.empty()) return Error(ErrorCode::usage, "no data directory is given").hint("Name it with --data-dir DIR or PGDATA.");
    return std::filesystem::absolute(directory);
}

ConfigurationSources SettingOptions::sources() const {
    ConfigurationSources sources;
    for (const auto& [name, value] : flags_) sources.flags.emplace(name, value);
    sources.config_file = config_file_;
    sources.data_directory = data_directory();
    sources.environment = process_environment();
    return sources;
}

Result<Settings> SettingOptions::resolve() const { return resolve_settings(sources()); }

Result<Settings> SettingOptions::resolve_with(const ServerConfiguration& server) const {
    TRY_ASSIGN(SettingTexts texts, resolve_setting_texts(sources()));
    for (const SettingInfo& setting : all_settings())
        if (const auto found = server.find("steward." + std::string(setting.name)); found != server.end()) texts.emplace(setting.name, found->second);
    return parse_settings(texts);
}

void add_output_option(CLI::App& app, OutputFormat& format) {
    static const std::map<std::string, OutputFormat> kFormats = {{"text", OutputFormat::kText}, {"json", OutputFormat::kJson}};
    app.add_option("--output", format, "Form of the output: text (default) or json")
        ->transform(CLI::CheckedTransformer(kFormats))
        ->type_name("FORMAT")
        ->option_text("FORMAT");
}

CLI::Option* add_system_option(CLI::App& app, std::optional<uint64_t>& system_identifier) {
    return app
        .add_option("--system-identifier", system_identifier,
                    "Of a cluster that had this name in the repository before, as before a major upgrade (default: the one that has it now)")
        ->type_name("N");
}

void on_chosen(CLI::App& app, ChosenCommand& chosen, Command command) {
    app.callback([&chosen, command = std::move(command)] { chosen.run = command; });
}

}  // namespace steward
