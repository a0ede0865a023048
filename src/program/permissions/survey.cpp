#include "program/permissions/survey.h"

#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <utility>

#include "core/base/format.h"
#include "core/permissions/access.h"
#include "core/postgres/pg_version.h"
#include "core/restore/target_directory.h"
#include "program/permissions/file_rights.h"
#include "program/permissions/server_files.h"
#include "program/server_programs.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

struct Owner {
    FileUser identity;
    fs::path home;
};

Owner make_owner(uid_t user, gid_t fallback_group) {
    Owner owner{.identity = {.user = user, .group = fallback_group, .groups = {fallback_group}}, .home = {}};
    const passwd* const entry = ::getpwuid(user);
    if (entry == nullptr) return owner;
    owner.identity.group = entry->pw_gid;
    owner.home = entry->pw_dir;
    int count = 64;
    std::vector<gid_t> groups(static_cast<size_t>(count));
    if (::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count) < 0) {
        groups.resize(static_cast<size_t>(count));
        ::getgrouplist(entry->pw_name, entry->pw_gid, groups.data(), &count);
    }
    groups.resize(static_cast<size_t>(count));
    owner.identity.groups = std::move(groups);
    return owner;
}

Result<Owner> find_named_owner(const std::string& name) {
    uid_t user = 0;
    const auto [end, problem] = std::from_chars(name.data(), name.data() + name.size(), user);
    const passwd* entry = ::getpwnam(name.c_str());
    if (entry == nullptr && problem == std::errc() && end == name.data() + name.size()) entry = ::getpwuid(user);
    if (entry == nullptr) return Error(ErrorCode::usage, formatted("there is no user \"{}\"", name)).hint("Name the server's user with --owner.");
    if (entry->pw_uid == 0)
        return Error(ErrorCode::usage, "root cannot own a cluster").detail("PostgreSQL refuses to run as root.").hint("Name the server's user with --owner.");
    return make_owner(entry->pw_uid, entry->pw_gid);
}

Result<Owner> find_owner(const SurveyRequest& request, const FileFact& directory) {
    const FileRights& found = directory.rights;
    if (!request.owner.empty()) {
        TRY_ASSIGN(Owner owner, find_named_owner(request.owner));
        if (found.user == owner.identity.user) owner.identity.group = found.group;
        return owner;
    }
    if (found.user == 0)
        return Error(ErrorCode::wrong_state, formatted("data directory \"{}\" belongs to root", directory.path))
            .detail("PostgreSQL refuses to run as root, so this cannot be the owner that all files must have.")
            .hint("Name the server's user with --owner.")
            .object(directory.path);
    if (::geteuid() != 0 && ::geteuid() != found.user)
        return Error(ErrorCode::permission_denied, formatted("data directory \"{}\" belongs to another user", directory.path))
            .hint("Run this as root, or as the server's user, or name the user that it should belong to with --owner.")
            .object(directory.path);
    Owner owner = make_owner(found.user, found.group);
    owner.identity.group = found.group;
    return owner;
}

/// `path` with symbolic links resolved is the path of what is returned.
Result<FileFact> find_data_directory(const fs::path& path) {
    const PathFacts facts = look_at_path(path);
    if (facts.problem != 0)
        return Error::from_errno(facts.problem, formatted("could not look at data directory \"{}\"", path.native())).object(path.native());
    if (facts.file.type != FileType::kDirectory)
        return Error(ErrorCode::invalid_argument, formatted("\"{}\" is not a directory", path.native())).object(path.native());
    return facts.file;
}

/// A directory whose own mode is in the way is looked at again once that is cured.
Result<std::optional<int>> find_major(const fs::path& directory) {
    const Result<int> major = read_pg_version(directory);
    if (major.ok()) return std::optional(*major);
    if (major.error().code() == ErrorCode::permission_denied) return std::optional<int>();
    return major.error();
}

mode_t mode_of(const fs::path& file) {
    struct stat st;
    return ::lstat(file.c_str(), &st) == 0 ? st.st_mode & 07777 : 0;
}

Result<fs::path> find_config(const SurveyRequest& request, const SurveyedCluster& cluster) {
    if (!request.config_file.empty()) return request.config_file;
    return find_configuration_file(cluster.data_directory, cluster.major.value_or(0));
}

}  // namespace

Result<SurveyedCluster> survey_permissions(const SurveyRequest& request, const FindingSink& sink, const CancelToken& cancel) {
    SurveyedCluster cluster;
    TRY_ASSIGN(const FileFact directory, find_data_directory(request.data_directory));
    cluster.data_directory = directory.path;
    TRY_ASSIGN(cluster.major, find_major(cluster.data_directory));
    TRY_ASSIGN(const Owner owner, find_owner(request, directory));
    cluster.server = find_running_server(cluster.data_directory);
    cluster.rules = {.owner = owner.identity, .found_owner = directory.rights.user,
                     .group_access = decide_group_access(directory.rights.mode, mode_of(cluster.data_directory / "PG_VERSION"))};

    const FindingSink decided = [&](Finding finding) {
        decide_action(finding, ::geteuid());
        return sink(std::move(finding));
    };
    ServerFiles files;
    if (const Result<fs::path> config = find_config(request, cluster); config.ok())
        files = find_server_files(cluster.data_directory, *config, owner.home);
    else
        cluster.problems.push_back(config.error());
    for (const AccessCase& access : files.cases)
        if (auto finding = judge_access(access, cluster.rules.owner)) TRY(decided(std::move(*finding)));
    cluster.problems.insert(cluster.problems.end(), files.problems.begin(), files.problems.end());
    TRY(walk_cluster({.data_directory = cluster.data_directory, .major = cluster.major, .rules = cluster.rules, .named = std::move(files.named),
                      .judged_apart = std::move(files.judged_apart)}, decided, cancel));
    return cluster;
}

}  // namespace steward
