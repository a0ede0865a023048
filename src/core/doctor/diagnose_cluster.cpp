// What is wrong with the data directory, its configuration and its programs.
#include <algorithm>
#include <string>
#include <utility>

#include "core/base/format.h"
#include "core/doctor/diagnose_parts.h"

namespace steward {

namespace {

using Found = std::vector<Diagnosis>;

std::string with_detail(const Error& error) { return error.detail().empty() ? error.message() : formatted("{}: {}", error.message(), error.detail()); }

std::string cure_of(const Error& error, std::string otherwise) { return error.hint().empty() ? std::move(otherwise) : error.hint(); }

std::string value_of(const ServerConfiguration& configuration, const char* name) {
    const auto found = configuration.find(name);
    return found == configuration.end() ? std::string() : found->second;
}

bool is_off(std::string_view value) { return value == "off" || value == "false" || value == "no" || value == "0"; }

/// Whether a list as shared_preload_libraries has names the module, bare, quoted or with its path.
bool names_module(std::string_view libraries) {
    size_t begin = 0;
    while (begin <= libraries.size()) {
        const size_t end = std::min(libraries.find(',', begin), libraries.size());
        std::string_view name = libraries.substr(begin, end - begin);
        const auto strip = [&](std::string_view what) {
            while (!name.empty() && what.find(name.front()) != what.npos) name.remove_prefix(1);
            while (!name.empty() && what.find(name.back()) != what.npos) name.remove_suffix(1);
        };
        strip(" \t\"");
        if (const size_t slash = name.rfind('/'); slash != name.npos) name.remove_prefix(slash + 1);
        if (name == "pg_steward" || name == "pg_steward.so") return true;
        begin = end + 1;
    }
    return false;
}

void diagnose_content(const DataDirectoryFacts& directory, Found& found) {
    const SeedEvidence& evidence = directory.evidence;
    const std::string path = directory.path.native();
    const std::string preseed = formatted("Type \"pg_steward preseed --data-dir {} --restore --dry-run\" to see what a restore would do.", path);
    for (const UnmountedPlace& place : evidence.unmounted)
        found.push_back({"volume_not_mounted", Weight::kError, formatted("a volume of data directory \"{}\" is not mounted: {}", path, place.reason),
                         formatted("Mount it, for example with \"mount {}\".", place.path.native())});
    switch (evidence.content) {
        case SeedContent::kCluster: return;
        case SeedContent::kMissing:
        case SeedContent::kEmpty:
            found.push_back({"no_cluster", Weight::kError, formatted("data directory \"{}\" holds no cluster: it is {}", path, to_string(evidence.content)), preseed});
            return;
        case SeedContent::kInterrupted:
            found.push_back({"restore_interrupted", Weight::kError, formatted("a restore into data directory \"{}\" has not finished", path), preseed});
            return;
        case SeedContent::kDamaged:
            found.push_back({"cluster_damaged", Weight::kError, formatted("data directory \"{}\" holds a damaged cluster: {}", path, evidence.damage),
                             formatted("Type \"pg_steward restore --data-dir {} --preserve-existing --dry-run\" to see what a restore would do.", path)});
            return;
        case SeedContent::kForeign:
            found.push_back({"not_a_data_directory", Weight::kError, formatted("directory \"{}\" holds something else than a cluster", path),
                             "Name the right one with --data-dir."});
            return;
    }
}

void diagnose_server(const DataDirectoryFacts& directory, Found& found) {
    if (!directory.has_cluster() || directory.server) return;
    const ClusterState state = directory.evidence.cluster->state;
    const bool in_order = state == ClusterState::kShutDown || state == ClusterState::kShutDownInRecovery;
    found.push_back({in_order ? "server_down" : "server_ended_abnormally", in_order ? Weight::kNote : Weight::kWarning,
                     formatted("no server runs in \"{}\", and its last state is \"{}\"", directory.path.native(), to_string(state)),
                     formatted("{}Type \"pg_steward start --data-dir {}\", or use what starts servers on this machine.",
                               in_order ? "" : "Its log says why. The next start recovers. ", directory.path.native())});
}

void diagnose_permissions(const DataDirectoryFacts& directory, Found& found) {
    const PermissionFacts& permissions = directory.permissions;
    if (permissions.problem) {
        found.push_back({"permissions_unknown", Weight::kNote, formatted("owners and modes could not be judged: {}", with_detail(*permissions.problem)),
                         cure_of(*permissions.problem, "Run this as the server's user or as root.")});
        return;
    }
    if (permissions.errors + permissions.warnings == 0) return;
    found.push_back({"permissions", permissions.errors > 0 ? Weight::kError : Weight::kWarning,
                     formatted("owners or modes are wrong: {} errors and {} warnings, the first one of \"{}\": {}", permissions.errors, permissions.warnings,
                               permissions.worst, permissions.why),
                     !permissions.cure.empty() ? permissions.cure
                                               : formatted("Type \"pg_steward permissions fix --data-dir {}\", as root for owners.", directory.path.native())});
}

/// The program or the module of another version than the rest is refused by it.
void diagnose_versions(const InstallationFacts& installation, const std::string& own, Found& found) {
    const std::string& module = installation.module_version;
    if (!module.empty() && !installation.engine_version.empty() && module != installation.engine_version)
        found.push_back({"versions_differ", Weight::kError,
                         formatted("the module is of version {}, and the program \"{}\" that the server starts is of {}", module, installation.engine.native(),
                                   installation.engine_version),
                         "Install both of one version (\"make install\" does), and restart the server."});
    else if (!module.empty() && module != own)
        found.push_back({"own_version_differs", Weight::kNote, formatted("the module is of version {}, and this program of {}", module, own),
                         formatted("Use the program beside the server's: \"{}\".", installation.engine.native())});
}

}  // namespace

void diagnose_settings(const DoctorFacts& facts, Found& found) {
    if (facts.settings_problem)
        found.push_back({"settings", Weight::kError, with_detail(*facts.settings_problem), cure_of(*facts.settings_problem, "Correct it where it is set.")});
    else if (!facts.has_repository && !(facts.directory && facts.directory->problem))
        found.push_back({"no_repository", Weight::kWarning, "no repository is configured: nothing is archived and nothing is backed up",
                         "Set \"steward.repository = 'file:///DIRECTORY'\" in postgresql.conf and reload, or give --repository URL here."});
    if (!facts.directory)
        found.push_back({"no_data_directory", Weight::kNote, "no data directory is given, so that no server was looked at", "Name it with --data-dir DIR or PGDATA."});
}

void diagnose_directory(const DoctorFacts& facts, Found& found) {
    if (!facts.directory) return;
    const DataDirectoryFacts& directory = *facts.directory;
    if (directory.problem) {
        found.push_back({"data_directory_unreadable", Weight::kError, with_detail(*directory.problem), cure_of(*directory.problem, "Run this as the server's user or as root.")});
        return;
    }
    diagnose_content(directory, found);
    diagnose_server(directory, found);
    if (directory.has_cluster()) diagnose_permissions(directory, found);
}

void diagnose_configuration(const DoctorFacts& facts, Found& found) {
    if (!facts.directory || !facts.directory->has_cluster()) return;
    const DataDirectoryFacts& directory = *facts.directory;
    if (directory.configuration_problem) {
        found.push_back({"configuration_unreadable", Weight::kError, with_detail(*directory.configuration_problem),
                         cure_of(*directory.configuration_problem, "Correct the file, then reload or restart the server.")});
        return;
    }
    const std::string file = directory.config_file.native();
    const std::string libraries = value_of(directory.configuration, "shared_preload_libraries");
    if (!names_module(libraries))
        found.push_back({"not_preloaded", Weight::kError, formatted("file \"{}\" does not preload pg_steward: nothing is archived and nothing is backed up", file),
                         formatted("Set \"shared_preload_libraries = '{}{}pg_steward'\" and restart the server.", libraries, libraries.empty() ? "" : ",")});
    if (!facts.has_repository) return;
    if (is_off(value_of(directory.configuration, "archive_mode")))
        found.push_back({"archive_mode", Weight::kError, "archive_mode is off: no WAL is archived", "Remove that line, or set \"archive_mode = on\", and restart the server."});
    if (const std::string library = value_of(directory.configuration, "archive_library"); !library.empty() && library != "pg_steward")
        found.push_back({"archive_library", Weight::kError, formatted("archive_library is \"{}\": WAL goes elsewhere", library),
                         "Remove that line, or set \"archive_library = 'pg_steward'\", and reload the server."});
    if (const std::string command = value_of(directory.configuration, "archive_command"); !command.empty())
        found.push_back({"archive_command", Weight::kError, "archive_command is set: the server refuses it beside an archive library",
                         "Remove that line and reload the server."});
    if (value_of(directory.configuration, "wal_level") == "minimal")
        found.push_back({"wal_level", Weight::kError, "wal_level is minimal: its WAL restores nothing", "Set \"wal_level = replica\" and restart the server."});
}

void diagnose_installation(const DoctorFacts& facts, Found& found) {
    if (!facts.directory || !facts.directory->has_cluster()) return;
    const InstallationFacts& installation = facts.installation;
    const int cluster = facts.directory->evidence.cluster->major;
    if (!installation.major) {
        found.push_back({"no_server_programs", Weight::kError, formatted("there are no programs of PostgreSQL {} in \"{}\"", cluster, installation.bindir.native()),
                         "Install them, or name their directory with --bindir."});
        return;
    }
    if (*installation.major != cluster) {
        found.push_back({"other_release", Weight::kError, formatted("the cluster is of PostgreSQL {}, and the programs in \"{}\" are of {}", cluster, installation.bindir.native(), *installation.major),
                         formatted("Name the programs of {} with --bindir, or upgrade the cluster.", cluster)});
        return;
    }
    if (!installation.has_module)
        found.push_back({"no_module", Weight::kError, formatted("there is no file \"{}\": a server that preloads pg_steward does not start", installation.module.native()),
                         formatted("Install it: \"make install PG_CONFIG={}/pg_config\".", installation.bindir.native())});
    if (installation.engine_version.empty())
        found.push_back({"no_engine", Weight::kError, formatted("there is no program \"{}\" for the server to start", installation.engine.native()),
                         formatted("Install it: \"make install PG_CONFIG={}/pg_config\", or correct steward.program.", installation.bindir.native())});
    diagnose_versions(installation, facts.program_version, found);
}

}  // namespace steward
