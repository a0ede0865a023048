#include "core/settings/settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/format.h"
#include "core/schedule/time_zone.h"

namespace steward {

namespace {

constexpr SettingInfo kSettings[] = {
#define STEWARD_STRING(name, default_text, reload, description) \
    {#name, SettingKind::kString, SettingReload::reload, default_text, 0, 0, 0, description},
#define STEWARD_INTEGER(name, default_value, minimum, maximum, reload, description) \
    {#name, SettingKind::kInteger, SettingReload::reload, #default_value, default_value, minimum, maximum, description},
#include "core/settings/settings.def"
#undef STEWARD_STRING
#undef STEWARD_INTEGER
};

Error setting_error(std::string_view name, std::string_view text, std::string detail) {
    return Error(ErrorCode::configuration, formatted("invalid value for parameter \"steward.{}\": \"{}\"", name, text))
        .detail(std::move(detail))
        .object(formatted("steward.{}", name));
}

Result<int> parse_integer(const SettingInfo& setting, std::string_view text) {
    int64_t value = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (problem != std::errc() || end != text.data() + text.size()) return setting_error(setting.name, text, "It must be a whole number.");
    if (value < setting.minimum || value > setting.maximum)
        return setting_error(setting.name, text, formatted("It must be between {} and {}.", setting.minimum, setting.maximum));
    return static_cast<int>(value);
}

Result<std::string> parse_cluster(std::string_view text) {
    const bool good = !text.empty() && text.size() <= 64 && text.front() != '.' && text.front() != '-' &&
                      std::ranges::all_of(text, [](unsigned char c) { return std::isalnum(c) || c == '-' || c == '_' || c == '.'; });
    if (!good) return setting_error("cluster", text, "It must be 1 to 64 letters, digits, \"-\", \"_\" or \".\", beginning with a letter, a digit or \"_\".");
    return std::string(text);
}

/// Give an error of a value's own parser the setting's name and keep its explanation.
Error in_setting(std::string_view name, std::string_view text, const Error& cause) {
    std::string detail = cause.message();
    if (!detail.empty()) detail[0] = static_cast<char>(std::toupper(static_cast<unsigned char>(detail[0])));
    detail += ".";
    if (!cause.detail().empty()) detail += " " + cause.detail();
    return setting_error(name, text, std::move(detail)).hint(cause.hint());
}

Result<std::optional<Schedule>> parse_schedule_of(std::string_view name, std::string_view text) {
    if (text.empty()) return std::optional<Schedule>();
    Result<Schedule> schedule = parse_schedule(text);
    if (!schedule.ok()) return in_setting(name, text, schedule.error());
    return std::optional<Schedule>(std::move(schedule).value());
}

/// Looks texts up with their defaults.
class Texts {
public:
    explicit Texts(const SettingTexts& texts) : texts_(texts) {}

    std::string_view text(const SettingInfo& setting) const {
        const auto found = texts_.find(setting.name);
        return found == texts_.end() ? setting.default_text : std::string_view(found->second);
    }
    std::string_view text(std::string_view name) const { return text(row(name)); }
    Result<int> integer(std::string_view name) const { return parse_integer(row(name), text(name)); }

private:
    static const SettingInfo& row(std::string_view name) { return *std::ranges::find(kSettings, name, &SettingInfo::name); }

    const SettingTexts& texts_;
};

}  // namespace

std::span<const SettingInfo> all_settings() { return kSettings; }

Result<Settings> parse_settings(const SettingTexts& texts) {
    const Texts in(texts);
    Settings settings;
    if (const std::string_view text = in.text("repository"); !text.empty()) {
        Result<std::vector<StorageUrl>> urls = parse_repository_list(text);
        if (!urls.ok()) return in_setting("repository", text, urls.error());
        settings.repositories = std::move(urls).value();
    }
    TRY_ASSIGN(settings.cluster, parse_cluster(in.text("cluster")));
    TRY_ASSIGN(settings.archive_workers, in.integer("archive_workers"));
    TRY_ASSIGN(const int tail_interval, in.integer("archive_tail_interval"));
    settings.archive_tail_interval = std::chrono::seconds(tail_interval);
    TRY_ASSIGN(const int queue_limit_mb, in.integer("archive_queue_limit"));
    settings.archive_queue_limit = static_cast<uint64_t>(queue_limit_mb) * 1024 * 1024;
    Result<Compression> compression = parse_compression(in.text("compression"));
    if (!compression.ok()) return in_setting("compression", in.text("compression"), compression.error());
    settings.compression = *compression;
    TRY_ASSIGN(settings.backup_workers, in.integer("backup_workers"));
    TRY_ASSIGN(const int full_read_days, in.integer("full_read_interval"));
    settings.full_read_interval = std::chrono::days(full_read_days);
    Result<RetentionPolicy> retention = parse_retention(in.text("retention"));
    if (!retention.ok()) return in_setting("retention", in.text("retention"), retention.error());
    settings.retention = *retention;
    TRY_ASSIGN(settings.backup_schedule, parse_schedule_of("backup_schedule", in.text("backup_schedule")));
    TRY_ASSIGN(settings.verify_schedule, parse_schedule_of("verify_schedule", in.text("verify_schedule")));
    TRY_ASSIGN(settings.drill_schedule, parse_schedule_of("drill_schedule", in.text("drill_schedule")));
    settings.timezone = in.text("timezone");
    if (!settings.timezone.empty())
        if (const Result<TimeZone> zone = find_time_zone(settings.timezone); !zone.ok()) return in_setting("timezone", settings.timezone, zone.error());
    TRY_ASSIGN(const int jitter, in.integer("schedule_jitter"));
    settings.schedule_jitter = std::chrono::seconds(jitter);
    TRY_ASSIGN(const int rate_limit_kb, in.integer("backup_rate_limit"));
    settings.backup_rate_limit = static_cast<uint64_t>(rate_limit_kb) * 1024;
    TRY_ASSIGN(settings.backup_nice, in.integer("backup_nice"));
    TRY_ASSIGN(const int share_percent, in.integer("backup_processor_share"));
    settings.backup_processor_share = share_percent / 100.0;
    settings.database = in.text("database");
    if (settings.database.empty()) return setting_error("database", "", "It must name a database.");
    settings.program = in.text("program");
    if (!settings.program.empty() && settings.program.front() != '/')
        return setting_error("program", settings.program, "It must be an absolute path.");
    settings.drill_directory = in.text("drill_directory");
    if (!settings.drill_directory.empty() && settings.drill_directory.front() != '/')
        return setting_error("drill_directory", settings.drill_directory, "It must be an absolute path.");
    settings.drill_query = in.text("drill_query");
    return settings;
}

Result<void> check_setting(std::string_view name, std::string_view text) {
    const Result<Settings> settings = parse_settings({{std::string(name), std::string(text)}});
    if (!settings.ok()) return settings.error();
    return {};
}

}  // namespace steward
