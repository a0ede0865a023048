#include "core/upgrade/new_cluster_settings.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "core/base/format.h"
#include "core/upgrade/check_cluster.h"

namespace steward {

namespace {

/// From this major on slots and subscriptions are carried over.
constexpr int kFirstWithSlots = 17;
/// From this one on subscriptions count against a limit of their own.
constexpr int kFirstWithOriginLimit = 18;
/// initdb's value of the limits.
constexpr int kUsualLimit = 10;

std::string quote_for_configuration(std::string_view value) {
    std::string quoted = "'";
    for (const char c : value) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return quoted + "'";
}

void add_replication(const OldClusterFacts& old, const NewMajorFacts& offered, const UpgradeHop& hop, std::vector<std::string>& lines) {
    if (hop.from < kFirstWithSlots || (old.logical_slots == 0 && old.subscriptions == 0)) return;
    lines.emplace_back("wal_level = logical");
    // Both count before 18, and a subscription may hold back a slot for conflicts it detects.
    lines.push_back(formatted("max_replication_slots = {}", std::max(kUsualLimit, old.logical_slots + old.subscriptions + 1)));
    if (hop.to >= kFirstWithOriginLimit) lines.push_back(formatted("max_active_replication_origins = {}", std::max(kUsualLimit, old.subscriptions)));
    const auto plugins = std::ranges::find(old.settings.rbegin(), old.settings.rend(), "output_plugin_libraries", &SettingLine::name);
    const auto known = offered.settings.find("output_plugin_libraries");
    if (plugins != old.settings.rend() && known != offered.settings.end() && known->second) lines.push_back(formatted("output_plugin_libraries = {}", quote_for_configuration(plugins->value)));
}

/// It can be loaded at any time, and its workers are not to work on a cluster that is being made.
constexpr std::string_view kOwnLibrary = "pg_steward";

void add_libraries(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<std::string>& lines) {
    const std::set<std::string> preloaded = preloaded_libraries(old);
    std::set<std::string> needed;
    for (const UsedLibrary& library : old.libraries) {
        const std::string base = library_base(library.name);
        const auto error = offered.load_errors.find(library.name);
        const bool is_missing = error != offered.load_errors.end() && !wants_preloading(error->second);
        if (preloaded.contains(base) && !is_missing && base != kOwnLibrary) needed.insert(base);
    }
    std::string list;
    for (const std::string& library : needed) list += (list.empty() ? "" : ", ") + library;
    if (!list.empty()) lines.push_back(formatted("shared_preload_libraries = {}", quote_for_configuration(list)));
}

}  // namespace

std::vector<std::string> settings_for_pg_upgrade(const OldClusterFacts& old, const NewMajorFacts& offered, const UpgradeHop& hop) {
    std::vector<std::string> lines;
    add_replication(old, offered, hop, lines);
    add_libraries(old, offered, lines);
    return lines;
}

}  // namespace steward
