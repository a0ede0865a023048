#include "core/upgrade/new_cluster_settings.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
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

constexpr std::string_view kOutputPlugins = "output_plugin_libraries";

std::string quote_for_configuration(std::string_view value) {
    std::string quoted = "'";
    for (const char c : value) quoted += c == '\'' ? std::string("''") : std::string(1, c);
    return quoted + "'";
}

/// What the check has found out about the new major decides; what was not asked for is known to every major that it is wanted of.
void add_replication(const OldClusterFacts& old, const NewMajorFacts& offered, const UpgradeHop& hop, std::vector<std::string>& lines) {
    for (const WantedSetting& wanted : wanted_for_replication(replication_of(old), hop)) {
        const auto known = offered.settings.find(wanted.name);
        const bool is_known = known == offered.settings.end() ? wanted.name != kOutputPlugins : known->second;
        if (is_known) lines.push_back(wanted.line());
    }
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

ReplicationFacts replication_of(const OldClusterFacts& old) {
    ReplicationFacts replication{old.logical_slots, old.subscriptions, {}};
    // The last line counts.
    for (const SettingLine& line : old.settings)
        if (line.name == kOutputPlugins) replication.output_plugins = line.value;
    return replication;
}

bool WantedSetting::is_met_by(std::string_view shown) const {
    if (!is_limit) return shown == value;
    int64_t has = 0, needs = 0;
    std::from_chars(shown.data(), shown.data() + shown.size(), has);
    std::from_chars(value.data(), value.data() + value.size(), needs);
    return has >= needs;
}

std::string WantedSetting::line() const { return formatted("{} = {}", name, name == kOutputPlugins ? quote_for_configuration(value) : value); }

std::vector<WantedSetting> wanted_for_replication(const ReplicationFacts& replication, const UpgradeHop& hop) {
    std::vector<WantedSetting> wanted;
    if (hop.from < kFirstWithSlots || (replication.logical_slots == 0 && replication.subscriptions == 0)) return wanted;
    const auto limit = [](int number) { return std::to_string(std::max(kUsualLimit, number)); };
    // pg_upgrade asks for it, and no server starts without it, where there are slots.
    if (replication.logical_slots > 0) wanted.push_back({"wal_level", "logical", false});
    // Both count before 18, and a subscription may hold back a slot for conflicts it detects.
    wanted.push_back({"max_replication_slots", limit(replication.logical_slots + replication.subscriptions + 1), true});
    if (hop.to >= kFirstWithOriginLimit) wanted.push_back({"max_active_replication_origins", limit(replication.subscriptions), true});
    if (!replication.output_plugins.empty()) wanted.push_back({std::string(kOutputPlugins), replication.output_plugins, false});
    return wanted;
}

std::vector<std::string> settings_for_pg_upgrade(const OldClusterFacts& old, const NewMajorFacts& offered, const UpgradeHop& hop) {
    std::vector<std::string> lines;
    add_replication(old, offered, hop, lines);
    add_libraries(old, offered, lines);
    return lines;
}

}  // namespace steward
