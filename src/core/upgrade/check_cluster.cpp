#include "core/upgrade/check_cluster.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"
#include "core/restore/target_directory.h"
#include "core/upgrade/column_options.h"

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

    const std::string lock_file = (old.data_directory / "postmaster.pid").native();
    Finder lock("stale_lock_file", FindingWeight::kObstacle, "a lock file names a process that is no server of this cluster",
                "The server that left it has ended, and its process number belongs to another program now. No server works in the data directory.");
    if (old.lock_holder) lock.add(formatted("file \"{}\", process {}", lock_file, *old.lock_holder), formatted("rm {}", quote_for_shell(lock_file)));
    lock.move_to(findings);
}

/// The new cluster is made beside the old one, so that it is never inside it, and takes its place by being renamed.
void check_place(const OldClusterFacts& old, std::vector<UpgradeFinding>& findings) {
    const std::filesystem::path parent = old.data_directory.parent_path();
    Finder mounted("mount_point", FindingWeight::kObstacle, "the data directory is a mount point",
                   "It cannot be renamed. Move its content to a directory below it, or mount the volume one level above.");
    if (old.mount_point) mounted.add(formatted("data directory \"{}\"", old.data_directory.native()));
    mounted.move_to(findings);

    Finder closed("parent_not_writable", FindingWeight::kObstacle, "the cluster's owner cannot make a directory beside the data directory",
                  "The new cluster is made there, and renamed to the old one's name.");
    if (!old.parent_writable && !old.mount_point)
        closed.add(formatted("directory \"{}\"", parent.native()), formatted("chmod u+w {} -- or have it belong to the cluster's owner", quote_for_shell(parent.native())));
    closed.move_to(findings);
}

bool is_inside(const std::filesystem::path& path, const std::filesystem::path& directory) {
    const std::filesystem::path relative = path.lexically_relative(directory);
    return !relative.empty() && *relative.begin() != "..";
}

void check_tablespaces(const OldClusterFacts& old, const UpgradeHop& hop, std::vector<UpgradeFinding>& findings) {
    Finder leftovers("tablespace_leftovers", FindingWeight::kObstacle, "a tablespace has a directory of the new major already",
                     "An earlier upgrade that was given up has left it. Make sure that no cluster uses it.");
    Finder inside("tablespace_inside", FindingWeight::kObstacle, "a tablespace is inside the data directory",
                  "It would move together with the old cluster's directory. Make another one elsewhere, and move what is in this one there.");
    const std::string prefix = formatted("PG_{}_", hop.to);
    for (const Tablespace& tablespace : old.tablespaces) {
        for (const std::string& entry : tablespace.entries)
            if (entry.starts_with(prefix)) leftovers.add(formatted("directory \"{}\"", (tablespace.location / entry).native()),
                                                         formatted("rm -r {}", quote_for_shell((tablespace.location / entry).native())));
        if (is_inside(tablespace.location, old.data_directory))
            inside.add(formatted("tablespace {} in \"{}\"", quote_sql_identifier(tablespace.name), tablespace.location.native()),
                       formatted("DROP TABLESPACE {}; -- after moving away what is in it", quote_sql_identifier(tablespace.name)));
    }
    leftovers.move_to(findings);
    inside.move_to(findings);
}

/// "'a', 'b'": what ALTER SYSTEM takes for a list.
std::string quote_list(const std::set<std::string>& items) {
    std::string list;
    for (const std::string& item : items) list += (list.empty() ? "" : ", ") + quote_sql_literal(item);
    return list;
}

void check_libraries(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<UpgradeFinding>& findings) {
    Finder missing("missing_libraries", FindingWeight::kObstacle, "the new major cannot load a library",
                   "Install the package that has it for the new major, or drop the extension.");
    Finder unloaded("libraries_to_preload", FindingWeight::kObstacle, "a library insists on being loaded at the server's start",
                    "pg_upgrade loads it in the new server, which gets the old one's shared_preload_libraries. Restart the server after the change, or drop the extension.");
    const std::set<std::string> preloaded = preloaded_libraries(old);
    const auto error_of = [&](const std::string& library) -> const std::string* {
        const auto error = offered.load_errors.find(library);
        return error == offered.load_errors.end() ? nullptr : &error->second;
    };
    std::set<std::string> wanted = preloaded;
    for (const UsedLibrary& library : old.libraries)
        if (const std::string* error = error_of(library.name); error != nullptr && wants_preloading(*error)) wanted.insert(library_base(library.name));
    for (const UsedLibrary& library : old.libraries) {
        const std::string* error = error_of(library.name);
        if (error == nullptr) continue;
        std::string object = formatted("library \"{}\", used in database {}: {}", library.name, quote_sql_identifier(library.database), *error);
        if (!wants_preloading(*error)) missing.add(std::move(object));
        // It is there, and says that it wants what the server's configuration gives it.
        else if (!preloaded.contains(library_base(library.name))) unloaded.add(std::move(object), formatted("ALTER SYSTEM SET shared_preload_libraries = {};", quote_list(wanted)));
    }
    for (const std::string& library : preloaded)
        if (const std::string* error = error_of(library); error != nullptr && !wants_preloading(*error))
            missing.add(formatted("library \"{}\" of shared_preload_libraries: {}", library, *error));
    missing.move_to(findings);
    unloaded.move_to(findings);
}

void check_extensions(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<UpgradeFinding>& findings) {
    Finder missing("missing_extensions", FindingWeight::kWarning, "the new major does not have an extension",
                   "Its objects are carried over, and a dump of the new cluster cannot be restored. Install its package for the new major.");
    Finder stuck("extensions_without_path", FindingWeight::kWarning, "an extension cannot be brought to the new major's version",
                 "There is no update path between the two. Bring it to a version that has one before the upgrade, or drop it and create it anew afterwards.");
    Finder outdated("outdated_extensions", FindingWeight::kNote, "an extension stays at its version", "pg_upgrade does not update extensions. After the upgrade:");
    for (const InstalledExtension& extension : old.extensions) {
        const std::string object = formatted("database {}: {} {}", quote_sql_identifier(extension.database), extension.name, extension.version);
        const auto offer = offered.extensions.find({extension.name, extension.version});
        if (offer == offered.extensions.end()) {
            missing.add(object);
        } else if (offer->second.default_version != extension.version) {
            Finder& finder = offer->second.update_path ? outdated : stuck;
            const std::string name = quote_sql_identifier(extension.name);
            finder.add(formatted("{}, new is {}", object, offer->second.default_version),
                       offer->second.update_path ? formatted("ALTER EXTENSION {} UPDATE;", name)
                                                 : formatted("DROP EXTENSION {}; -- in database {}", name, quote_sql_identifier(extension.database)));
        }
    }
    for (Finder* finder : {&missing, &stuck, &outdated}) finder->move_to(findings);
}

/// Settings with a successor that means the same.
constexpr std::array<std::pair<std::string_view, std::string_view>, 1> kRenamed = {{{"force_parallel_mode", "debug_parallel_query"}}};

void check_settings(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<UpgradeFinding>& findings) {
    Finder removed("removed_settings", FindingWeight::kWarning, "the new major does not know a setting", "Its server does not start with it: leave the line out of the new configuration.");
    Finder refused("refused_values", FindingWeight::kWarning, "the new major does not take a setting's value", "Its server does not start with it: leave the line out of the new configuration, or correct it.");
    Finder own("unrestorable_settings", FindingWeight::kObstacle, "a role or a database has a setting that the new major does not take",
               "pg_upgrade sets it in the new cluster, and fails.");
    for (const SettingLine& line : old.settings) {
        const auto known = offered.settings.find(line.name);
        const auto refusal = offered.refused_values.find({line.name, line.value});
        const bool is_removed = known != offered.settings.end() && !known->second;
        if (!is_removed && refusal == offered.refused_values.end()) continue;
        if (!line.reset.empty()) {
            own.add(formatted("{} = {} ({})", line.name, line.value, line.place), line.reset);
        } else if (is_removed) {
            const auto* const successor = std::ranges::find(kRenamed, line.name, &decltype(kRenamed)::value_type::first);
            removed.add(formatted("{} ({})", line.name, line.place),
                        successor == kRenamed.end() ? std::string() : formatted("Set {} instead of {}.", successor->second, successor->first));
        } else {
            refused.add(formatted("{} = {} ({}): {}", line.name, line.value, line.place, refusal->second));
        }
    }
    for (Finder* finder : {&removed, &refused, &own}) finder->move_to(findings);
}

/// Some minors store options of their own with every column that is made under them, which others do not take back.
void check_column_options(const OldClusterFacts& old, const NewMajorFacts& offered, std::vector<UpgradeFinding>& findings) {
    Finder options("column_options", FindingWeight::kObstacle, "columns have an option that the new major does not take",
                   "pg_upgrade sets it in the new cluster, and fails, although \"pg_upgrade --check\" is content.");
    for (const ColumnOption& option : old.column_options) {
        const auto error = offered.column_option_errors.find(option.name);
        if (error == offered.column_option_errors.end()) continue;
        const std::string database = quote_sql_identifier(option.database);
        options.add(formatted("database {}: {} columns with option {}={}, one is {}: {}", database, option.columns, option.name, option.value, option.example, error->second),
                    formatted("{} -- in database {}", reset_column_option(option.name), database));
    }
    options.move_to(findings);
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

std::string quote_for_shell(std::string_view path) {
    std::string quoted = "'";
    for (const char c : path) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted + "'";
}

std::string library_base(std::string_view library) {
    std::string_view base = library.substr(library.rfind('/') + 1);
    if (base.ends_with(".so")) base.remove_suffix(3);
    return std::string(base);
}

bool wants_preloading(std::string_view error) { return error.find("preload") != error.npos; }

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
    check_place(old, findings);
    check_tablespaces(old, hop, findings);
    return findings;
}

std::vector<UpgradeFinding> check_new_major(const OldClusterFacts& old, const NewMajorFacts& offered) {
    std::vector<UpgradeFinding> findings;
    check_libraries(old, offered, findings);
    check_extensions(old, offered, findings);
    check_settings(old, offered, findings);
    check_column_options(old, offered, findings);
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
