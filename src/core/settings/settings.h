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
    Compression compression;
    int backup_workers;
    std::chrono::days full_read_interval;
    uint64_t backup_rate_limit;  ///< bytes a second; 0: none
    int backup_nice;
    std::string database;
    std::string program;
};

/// Check `texts` and fill in defaults. Pure. Errors: configuration, naming the setting (as "steward.NAME") in `object()`.
Result<Settings> parse_settings(const SettingTexts& texts);

/// Check one value as parse_settings would. Pure; used where a value is entered. Errors: configuration.
Result<void> check_setting(std::string_view name, std::string_view text);

}  // namespace steward
