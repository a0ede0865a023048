#include "core/upgrade/check_cluster.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"
#include "core/restore/target_directory.h"

namespace steward {

namespace {

/// Collects what one check finds; nothing found is no finding.
class Finder {
public:
    Finder(std::string check, FindingWeight weight, std::string summary, std::string detail)
        : finding_{.check = std::move(check), .weight = weight, .summary = std::move(summary), .detail = std::move(detail), .objects = {}, .cures = {}} {}

    void add(std::string object, std::string cure = {}) {
        finding_.objects.push_back(std::move(object));
        if (!cure.empty() && std::ranges::find(finding_.cures, cure) == finding_.cures.end()) finding_.cures.push_back(std::move(cure));
    }

    void move_to(std::vector<UpgradeFinding>& findings) {
        if (!finding_.objects.empty()) findings.push_back(std::move(finding_));
    }

private:
    UpgradeFinding finding_;
};

bool contains(const std::vector<std::string>& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

/// A path as an argument in a shell.
std::string quote_for_shell(std::string_view path) {
    std::string quoted = "'";
    for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

void check_state(const OldClusterFacts& old, std::vector<UpgradeFinding>& findings) {
    Finder standby("standby", FindingWeight::kObstacle, "the cluster is a standby, or is being recovered",
                   "pg_upgrade takes a primary. Upgrade that one, and make its standbys anew.");
    for (const std::string_view name : {"standby.signal", "recovery.signal"})
        if (contains(old.files, name)) standby.add(formatted("file \"{}\"", (old.data_directory / name).native()));
    standby.move_to(findings);

    Finder unfinished("unfinished_restore", FindingWeight::kObstacle, "a restore into the directory has not finished", "");
    if (contains(old.files, kRestoreMarker))
        unfinished.add(formatted("file \"{}\"", (old.data_directory / kRestoreMarker).native()), "Run \"pg_steward restore\" again, and start the server once.");
    unfinished.move_to(findings);

    Finder unclean("not_shut_down", FindingWeight::kObstacle, "the server was not shut down", "Only what a server has recovered can be carried over.");
    if (!old.running && !old.was_shut_down) unclean.add(formatted("data directory \"{}\"", old.data_directory.native()), "Start the server once, and stop it.");
    unclean.move_to(findings);
}

bool is_inside(const std::filesystem::path& path, const std::filesystem::path& directory) {
    const std::filesystem::path relative = path.lexically_relative(directory);
    return !relative.empty() && *relative.begin() != "..";
}

void check_tablespaces(const OldClusterFacts& old, const UpgradeHop& hop, std::vector<UpgradeFinding>& findings) {
    Finder leftovers("tablespace_leftovers", FindingWeight::kObstacle, "a tablespace has a directory of the new major already",
                     "An earlier upgrade that was given up has left it. Make sure that no cluster uses it.");
    Finder inside("tablespace_inside", FindingWeight::kObstacle, "a tablespace is inside the data directory", "It would move together with the old cluster's directory.");
    const std::string prefix = formatted("PG_{}_", hop.to);
    for (const Tablespace& tablespace : old.tablespaces) {
        for (const std::string& entry : tablespace.entries)
            if (entry.starts_with(prefix)) leftovers.add(formatted("directory \"{}\"", (tablespace.location / entry).native()),
                                                         formatted("rm -r {}", quote_for_shell((tablespace.location / entry).native())));
        if (is_inside(tablespace.location, old.data_directory))
            inside.add(formatted("tablespace {} in \"{}\"", quote_sql_identifier(tablespace.name), tablespace.location.native()));
    }
    leftovers.move_to(findings);
    inside.move_to(findings);
}

/// The last part of "$libdir/hstore", without a suffix.
std::string library_base(std::string_view library) {
    std::string_view base = library.substr(library.rfind('/') + 1);
    if (base.ends_with(".so")) base.remove_suffix(3);
    return std::string(base);
}

void check_libraries(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<UpgradeFinding>& findings) {
    Finder missing("missing_libraries", FindingWeight::kObstacle, "the new major cannot load a library",
                   "Install the package that has it for the new major, or drop the extension.");
    const std::set<std::string> preloaded = preloaded_libraries(old);
    const auto cannot_load = [&](const std::string& library) -> const std::string* {
        const auto error = offered.library_errors.find(library);
        if (error == offered.library_errors.end()) return nullptr;
        // It is there, and says that it wants what the server's configuration gives it.
        if (preloaded.contains(library_base(library)) && error->second.find("preload") != std::string::npos) return nullptr;
        return &error->second;
    };
    for (const UsedLibrary& library : old.libraries)
        if (const std::string* error = cannot_load(library.name))
            missing.add(formatted("library \"{}\", used in database {}: {}", library.name, quote_sql_identifier(library.database), *error));
    for (const std::string& library : preloaded)
        if (const std::string* error = cannot_load(library)) missing.add(formatted("library \"{}\" of shared_preload_libraries: {}", library, *error));
    missing.move_to(findings);
}

void check_extensions(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<UpgradeFinding>& findings) {
    Finder missing("missing_extensions", FindingWeight::kWarning, "the new major does not have an extension",
                   "Its objects are carried over, and a dump of the new cluster cannot be restored. Install its package for the new major.");
    Finder stuck("extensions_without_path", FindingWeight::kWarning, "an extension cannot be brought to the new major's version", "There is no update path between the two.");
    Finder outdated("outdated_extensions", FindingWeight::kNote, "an extension stays at its version", "pg_upgrade does not update extensions. After the upgrade:");
    for (const InstalledExtension& extension : old.extensions) {
        const std::string object = formatted("database {}: {} {}", quote_sql_identifier(extension.database), extension.name, extension.version);
        const auto offer = offered.extensions.find({extension.name, extension.version});
        if (offer == offered.extensions.end()) {
            missing.add(object);
        } else if (offer->second.default_version != extension.version) {
            Finder& finder = offer->second.update_path ? outdated : stuck;
            finder.add(formatted("{}, new is {}", object, offer->second.default_version),
                       offer->second.update_path ? formatted("ALTER EXTENSION {} UPDATE;", quote_sql_identifier(extension.name)) : std::string());
        }
    }
    for (Finder* finder : {&missing, &stuck, &outdated}) finder->move_to(findings);
}

/// Settings with a successor that means the same.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kRenamed = {{{"force_parallel_mode", "debug_parallel_query"}}};

void check_settings(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<UpgradeFinding>& findings) {
    Finder removed("removed_settings", FindingWeight::kWarning, "the new major does not know a setting", "Its server does not start with it: leave the line out of the new configuration.");
    for (const SettingLine& line : old.settings) {
        const auto known = offered.settings.find(line.name);
        if (known == offered.settings.end() || known->second) continue;
        const auto* const successor = std::ranges::find(kRenamed, line.name, &decltype(kRenamed)::value_type::first);
        removed.add(formatted("{} ({})", line.name, line.place),
                    successor == kRenamed.end() ? std::string() : formatted("Set {} instead of {}.", successor->second, successor->first));
    }
    removed.move_to(findings);
}

bool insists_on_slots_without_limit(int version_num) { return version_num >= 170000 && version_num <= 170005; }

void check_slot_limit(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<UpgradeFinding>& findings) {
    Finder limited("slot_limit", FindingWeight::kObstacle, "max_slot_wal_keep_size is set", "17.0 to 17.5 do not start for an upgrade then. Later minors do.");
    if (!insists_on_slots_without_limit(old.version_num) && !insists_on_slots_without_limit(offered.version_num)) return;
    for (const SettingLine& line : old.settings)
        if (line.name == "max_slot_wal_keep_size" && line.value != "-1") limited.add(formatted("{} = {} ({})", line.name, line.value, line.place), "ALTER SYSTEM SET max_slot_wal_keep_size = -1;");
    limited.move_to(findings);
}

}  // namespace

std::set<std::string> preloaded_libraries(const OldClusterFacts& old) {
    std::set<std::string> names;
    for (const SettingLine& line : old.settings) {
        if (line.name != "shared_preload_libraries") continue;
        names.clear();  // the last line counts
        for (std::string_view rest = line.value; !rest.empty();) {
            std::string_view item = rest.substr(0, rest.find(','));
            rest.remove_prefix(std::min(rest.size(), item.size() + 1));
            while (item.starts_with(' ') || item.starts_with('"')) item.remove_prefix(1);
            while (item.ends_with(' ') || item.ends_with('"')) item.remove_suffix(1);
            if (!item.empty()) names.insert(library_base(item));
        }
    }
    return names;
}

std::vector<UpgradeFinding> check_old_cluster(const OldClusterFacts& old, const UpgradeHop& hop) {
    std::vector<UpgradeFinding> findings;
    check_state(old, findings);
    check_tablespaces(old, hop, findings);
    return findings;
}

std::vector<UpgradeFinding> check_new_major(const OldClusterFacts& old, const NewMajorFacts& offered) {
    std::vector<UpgradeFinding> findings;
    check_libraries(old, offered, findings);
    check_extensions(old, offered, findings);
    check_settings(old, offered, findings);
    check_slot_limit(old, offered, findings);
    return findings;
}

std::vector<UpgradeFinding> check_methods(const std::vector<MethodVerdict>& verdicts) {
    std::vector<UpgradeFinding> findings;
    Finder none("no_room", FindingWeight::kObstacle, "there is no room for a second cluster", "Make room, or take a method after which the old cluster is lost, with a backup.");
    if (!choose_method(verdicts))
        for (const MethodVerdict& verdict : verdicts)
            if (!verdict.possible) none.add(formatted("{}: {}", name_of(verdict.method), verdict.reason));
    none.move_to(findings);
    return findings;
}

}  // namespace steward
