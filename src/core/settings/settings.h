// Settings: their table, and the typed values made of their texts.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/codec/compression.h"
#include "core/retention/policy.h"
#include "core/schedule/schedule.h"
#include "core/storage/storage_url.h"

namespace steward {

enum class SettingKind { kString, kInteger };
enum class SettingReload { kReload, kRestart };

/// One row of settings.def.
struct SettingInfo {
    std::string_view name;  ///< without the "steward." prefix
    SettingKind kind;
    SettingReload reload;
    std::string_view default_text;
    int64_t default_integer;  ///< kInteger only
    int64_t minimum;          ///< kInteger only
    int64_t maximum;          ///< kInteger only
    std::string_view description;
};

/// Every row, in the order of settings.def.
std::span<const SettingInfo> all_settings();

/// Setting texts by name, without prefix. What is not in the map has its default.
using SettingTexts = std::map<std::string, std::string, std::less<>>;

/// The settings after checking, with their types.
struct Settings {
    std::vector<StorageUrl> repositories;
    std::string cluster;
    int archive_workers;
    std::chrono::seconds archive_tail_interval;  ///< 0: off
    uint64_t archive_queue_limit;  ///< bytes; 0: none
    Compression compression;
    int backup_workers;
    std::chrono::days full_read_interval;
    RetentionPolicy retention;  ///< empty: nothing expires
    std::optional<Schedule> backup_schedule;  ///< nothing: only by hand; for the two below as well
    std::optional<Schedule> verify_schedule;
    std::optional<Schedule> drill_schedule;
    std::string timezone;  ///< of schedules and calendar rules; empty: the server's log_timezone
    std::chrono::seconds schedule_jitter{};
    uint64_t backup_rate_limit;  ///< bytes a second; 0: none
    int backup_nice;
    double backup_processor_share;  ///< part of all processors, above 0; 1: unlimited
    std::string database;
    std::string program;
    std::string drill_directory;  ///< empty or absolute
    std::string drill_query;
};

/// Check `texts` and fill in defaults. Pure, but that a time zone is looked up in the system's database. Errors: configuration, naming the setting (as "steward.NAME") in `object()`.
Result<Settings> parse_settings(const SettingTexts& texts);

/// Check one value as parse_settings would; used where a value is entered. Errors: configuration.
Result<void> check_setting(std::string_view name, std::string_view text);

}  // namespace steward
