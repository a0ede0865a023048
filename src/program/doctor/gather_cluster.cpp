#include "program/doctor/gather_cluster.h"

#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <chrono>
#include <initializer_list>
#include <set>
#include <string>
#include <system_error>
#include <utility>

#include "core/archive/given_up_wal.h"
#include "core/archive/ready_files.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/restore/target_directory.h"
#include "program/become_user.h"
#include "program/permissions/survey.h"
#include "program/server_programs.h"
#include "program/server_version.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// So many marks are looked at for their age: the oldest WAL is the first.
constexpr size_t kMarksForAge = 100;

bool is_there(const fs::path& path) {
    std::error_code problem;
    return fs::exists(path, problem);
}

Error with_user_hint(Error error, const fs::path& path) {
    struct stat st;
    if (error.code() != ErrorCode::permission_denied || ::stat(path.c_str(), &st) != 0) return error;
    return std::move(error).hint(formatted("Type \"sudo -u {} pg_steward doctor --data-dir {}\", or run it as root.", name_of_user(st.st_uid), path.native()));
}

void read_configuration(DataDirectoryFacts& facts, const fs::path& asked) {
    if (!asked.empty()) {
        facts.config_file = asked;
    } else if (Result<fs::path> found = find_configuration_file(facts.evidence.directory, facts.evidence.cluster->major); found.ok()) {
        facts.config_file = std::move(found).value();
    } else {
        facts.configuration_problem = std::move(found).error();
        return;
    }
    Result<ServerConfiguration> written = read_configuration_file(facts.config_file);
    Result<ServerConfiguration> set = read_configuration_file(facts.evidence.directory / "postgresql.auto.conf");
    for (Result<ServerConfiguration>* part : {&written, &set})
        if (!part->ok()) {
            facts.configuration_problem = std::move(*part).error();
            return;
        }
    facts.configuration = std::move(set).value();
    facts.configuration.merge(*written);  // keeps what is there
}

Result<void> judge_permissions(DataDirectoryFacts& facts, const CancelToken& cancel) {
    PermissionFacts& permissions = facts.permissions;
    Severity worst = Severity::kNote;
    const FindingSink sink = [&](const Finding& finding) {
        if (finding.severity == Severity::kError) ++permissions.errors;
        if (finding.severity == Severity::kWarning) ++permissions.warnings;
        if (finding.severity > worst) {
            worst = finding.severity;
            permissions.worst = finding.file.path;
            permissions.why = finding.why;
            permissions.cure = finding.action == Action::kNone ? finding.cure : "";
        }
        return Result<void>();
    };
    Result<SurveyedCluster> surveyed = survey_permissions({.data_directory = facts.evidence.directory, .owner = {}, .config_file = facts.config_file}, sink, cancel);
    if (surveyed.ok()) return {};
    if (surveyed.error().code() == ErrorCode::cancelled) return std::move(surveyed).error();
    permissions.problem = std::move(surveyed).error();
    return {};
}

std::optional<TimePoint> modified(const fs::path& path) {
    struct stat st;
    if (::stat(path.c_str(), &st) != 0) return std::nullopt;
    return TimePoint(std::chrono::seconds(st.st_mtim.tv_sec) + std::chrono::microseconds(st.st_mtim.tv_nsec / 1000));
}

void look_at_waiting_wal(DataDirectoryFacts& facts) {
    const fs::path marks = facts.evidence.directory / "pg_wal" / "archive_status";
    const Result<std::vector<std::string>> ready = list_ready_files(marks);
    if (!ready.ok()) {
        facts.archive_problem = ready.error();
        return;
    }
    facts.archive.waiting = ready->size();
    for (size_t i = 0; i < std::min(ready->size(), kMarksForAge); ++i)
        if (const auto time = modified(marks / ((*ready)[i] + ".ready"))) facts.archive.oldest_waiting = std::min(*time, facts.archive.oldest_waiting.value_or(*time));
    const auto given_up = GivenUpWal::peek(facts.evidence.directory);
    if (given_up.ok()) facts.archive.given_up = given_up->size();
    else facts.archive_problem = given_up.error();
}

/// Where the server's own library `name` is, below the directory of its programs' sibling, as Debian, the PGDG and PostgreSQL's build have it.
fs::path find_beside(const fs::path& bindir, std::initializer_list<fs::path> places, const char* name) {
    for (const fs::path& place : places)
        if (const fs::path directory = (place.is_absolute() ? place : bindir / place).lexically_normal(); is_there(directory / name)) return directory;
    return {};
}

std::string version_in_control_file(const fs::path& file) {
    const Result<ServerConfiguration> control = is_there(file) ? read_configuration_file(file) : Result<ServerConfiguration>(ServerConfiguration());
    if (!control.ok()) return {};
    const auto version = control->find("default_version");
    return version == control->end() ? std::string() : version->second;
}

void look_at_disk(std::vector<DiskFacts>& disks, std::set<uint64_t>& seen, std::string what, const fs::path& path) {
    struct statvfs st;
    struct stat file;
    if (::statvfs(path.c_str(), &st) != 0 || ::stat(path.c_str(), &file) != 0 || !seen.insert(file.st_dev).second) return;
    disks.push_back({std::move(what), path, uint64_t{st.f_bavail} * st.f_frsize, uint64_t{st.f_blocks} * st.f_frsize});
}

}  // namespace

Result<DataDirectoryFacts> gather_data_directory(const fs::path& path, const fs::path& config_file, const CancelToken& cancel) {
    DataDirectoryFacts facts;
    facts.path = path;
    Result<SeedEvidence> evidence = inspect_seed(path, {});
    if (!evidence.ok()) {
        facts.problem = with_user_hint(std::move(evidence).error(), path);
        return facts;
    }
    facts.evidence = std::move(evidence).value();
    facts.server = find_running_server(facts.evidence.directory);
    if (!facts.has_cluster()) return facts;
    facts.is_standby = is_there(facts.evidence.directory / "standby.signal") || is_there(facts.evidence.directory / "recovery.signal");
    read_configuration(facts, config_file);
    TRY(judge_permissions(facts, cancel));
    look_at_waiting_wal(facts);
    return facts;
}

InstallationFacts gather_installation(const fs::path& asked, const DataDirectoryFacts* directory, const fs::path& engine) {
    InstallationFacts facts;
    facts.bindir = asked;
    // Without a data directory no server was ever started in the place that is asked: the programs are those beside this one.
    const fs::path place = directory == nullptr ? fs::path("/") : directory->path;
    if (const Result<RunningServer> server = find_server_programs(std::nullopt, place); asked.empty() && server.ok()) facts.bindir = server->program.parent_path();
    std::error_code problem;
    // As the server finds what belongs to it: behind symbolic links.
    if (const fs::path program = fs::canonical(facts.bindir / "postgres", problem); !problem) facts.bindir = program.parent_path();
    if (const Result<int> major = server_major_of(facts.bindir); major.ok()) facts.major = *major;
    facts.engine = engine.empty() ? facts.bindir / "pg_steward" : engine;
    facts.engine_version = steward_version_of(facts.engine);
    if (!facts.major) return facts;
    const fs::path libraries = find_beside(facts.bindir, {"../lib", "../lib/postgresql", "../lib64", "../lib64/postgresql"}, "plpgsql.so");
    const fs::path share = find_beside(facts.bindir, {"../share", "../share/postgresql", formatted("/usr/share/postgresql/{}", *facts.major)}, "extension/plpgsql.control");
    // Where the server's own are is not known: nothing can be said then.
    facts.has_module = libraries.empty() || is_there(libraries / "pg_steward.so");
    if (!libraries.empty()) facts.module = libraries / "pg_steward.so";
    if (!share.empty()) facts.module_version = version_in_control_file(share / "extension/pg_steward.control");
    return facts;
}

std::vector<DiskFacts> gather_disks(const DataDirectoryFacts* directory, const std::vector<StorageUrl>& repositories) {
    std::vector<DiskFacts> disks;
    std::set<uint64_t> seen;
    if (directory != nullptr && !directory->problem) {
        look_at_disk(disks, seen, "data directory", directory->evidence.directory);
        look_at_disk(disks, seen, "WAL directory", directory->evidence.directory / "pg_wal");
    }
    for (const StorageUrl& url : repositories)
        if (url.scheme == StorageScheme::kFile) look_at_disk(disks, seen, "repository", url.path);
    return disks;
}

}  // namespace steward
