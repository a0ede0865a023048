#include "program/permissions/cluster_walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <string_view>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "program/permissions/file_rights.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// PostgreSQL nests four deep.
constexpr int kDeepest = 32;

struct CloseDirectory {
    void operator()(DIR* directory) const { ::closedir(directory); }
};

bool is_vanished(int problem) { return problem == ENOENT || problem == ENOTDIR || problem == ELOOP; }

/// An entry of a directory that is open.
struct Entry {
    int directory;
    std::string name;
    FileFact fact;
};

using Visitor = std::function<Result<void>(const Entry&)>;

class ClusterWalk {
public:
    ClusterWalk(const WalkedCluster& cluster, const FindingSink& sink, const CancelToken& cancel) : cluster_(cluster), sink_(sink), cancel_(cancel) {}

    Result<void> run();

private:
    /// A directory to look into: how deep it is, whether a link led there, and its file system.
    struct Level {
        int depth;
        bool outside;
        dev_t device;
    };

    Result<void> visit_top(const Entry& entry);
    Result<void> visit(const Entry& entry, const Level& level);
    Result<void> visit_link(const Entry& entry, bool is_wal);
    Result<bool> visit_tablespace(const FileFact& directory);
    Result<bool> visit_wal(const FileFact& directory);
    Result<void> for_each(int parent, const char* name, const FileFact& directory, const Visitor& visitor);
    Result<void> judge(const FileFact& file, ClusterPlace place, bool outside);

    const WalkedCluster& cluster_;
    const FindingSink& sink_;
    const CancelToken& cancel_;
    dev_t device_ = 0;  ///< of the data directory
};

Result<void> ClusterWalk::for_each(int parent, const char* name, const FileFact& directory, const Visitor& visitor) {
    TRY(check_cancel(cancel_));
    UniqueFd fd(::openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid() && is_vanished(errno)) return {};
    if (!fd.valid() && errno == EACCES) {
        Finding finding = not_searched(directory, "This program may not look into it.");
        finding.cure = "Run this again as root, or once its mode is right.";
        return sink_(std::move(finding));
    }
    if (!fd.valid()) return Error::from_errno(errno, formatted("could not open directory \"{}\"", directory.path)).object(directory.path);
    const int number = fd.get();
    const std::unique_ptr<DIR, CloseDirectory> stream(::fdopendir(number));
    if (!stream) return Error::from_errno(errno, formatted("could not open directory \"{}\"", directory.path)).object(directory.path);
    fd.release();
    while (true) {
        errno = 0;
        const dirent* const found = ::readdir(stream.get());
        if (found == nullptr) break;
        if (std::strcmp(found->d_name, ".") == 0 || std::strcmp(found->d_name, "..") == 0) continue;
        struct stat st;
        std::string path = formatted("{}/{}", directory.path, found->d_name);
        if (::fstatat(number, found->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0) {
            // A directory that can be read and not searched has a finding of its own.
            if (is_vanished(errno) || errno == EACCES) continue;
            return Error::from_errno(errno, formatted("could not stat file \"{}\"", path)).object(path);
        }
        TRY(visitor({number, found->d_name, file_fact(std::move(path), st)}));
    }
    if (errno != 0) return Error::from_errno(errno, formatted("could not read directory \"{}\"", directory.path)).object(directory.path);
    return {};
}

Result<void> ClusterWalk::judge(const FileFact& file, ClusterPlace place, bool outside) {
    if (auto finding = judge_cluster_file(file, place, outside, cluster_.rules)) return sink_(std::move(*finding));
    return {};
}

Result<void> ClusterWalk::visit(const Entry& entry, const Level& level) {
    // The file system's own, where a volume is mounted.
    if (entry.name == "lost+found") return sink_(foreign_file(entry.fact, cluster_.rules.owner));
    if (entry.fact.type != FileType::kDirectory) return judge(entry.fact, ClusterPlace::kInside, level.outside);
    if (entry.fact.device != level.device) return sink_(not_searched(entry.fact, "Another file system is mounted here."));
    if (level.depth >= kDeepest) return sink_(not_searched(entry.fact, "It is nested deeper than anything of a cluster."));
    const Level below{level.depth + 1, level.outside, level.device};
    TRY(for_each(entry.directory, entry.name.c_str(), entry.fact, [&](const Entry& inner) { return visit(inner, below); }));
    return judge(entry.fact, ClusterPlace::kInside, level.outside);
}

/// Returns whether there is a part of this cluster's major.
Result<bool> ClusterWalk::visit_tablespace(const FileFact& directory) {
    bool found = false;
    TRY_ASSIGN(const UniqueFd fd, open_without_links(directory.path));
    TRY(for_each(fd.get(), ".", directory, [&](const Entry& entry) -> Result<void> {
        // Others are of another major's cluster, or foreign: PostgreSQL does not mind.
        if (!is_tablespace_name(entry.name, *cluster_.major)) return {};
        found = true;
        return visit(entry, {0, true, directory.device});
    }));
    return found;
}

/// Returns whether it looks like a WAL directory.
Result<bool> ClusterWalk::visit_wal(const FileFact& directory) {
    bool found = false;
    TRY_ASSIGN(const UniqueFd fd, open_without_links(directory.path));
    TRY(for_each(fd.get(), ".", directory, [&](const Entry& entry) -> Result<void> {
        if (entry.name == "archive_status" && entry.fact.type == FileType::kDirectory) found = true;
        return visit(entry, {0, true, directory.device});
    }));
    return found;
}

Result<void> ClusterWalk::visit_link(const Entry& entry, bool is_wal) {
    const std::string_view what = is_wal ? "WAL directory" : "tablespace";
    const PathFacts target = look_at_path(entry.fact.path);
    if (auto way = judge_way(target, cluster_.rules.owner, what)) TRY(sink_(std::move(*way)));
    if (target.file.type != FileType::kDirectory) {
        std::error_code ignored;
        Finding finding{.file = entry.fact, .severity = Severity::kError, .problem = Problem::kMissing};
        if (target.problem != 0 && target.problem != ENOENT) finding.problem = Problem::kNotSearched;
        if (target.problem == 0) finding.problem = Problem::kWrongType;
        finding.why = formatted("It links the {} to \"{}\": {}.", what, fs::read_symlink(entry.fact.path, ignored).native(),
                                target.problem == 0 ? "not a directory" : std::generic_category().message(target.problem));
        finding.cure = formatted("Mount or restore the {}.", what);
        return sink_(std::move(finding));
    }
    if (!is_wal && !cluster_.major) return {};
    TRY_ASSIGN(const bool proven, is_wal ? visit_wal(target.file) : visit_tablespace(target.file));
    auto finding = judge_cluster_file(target.file, ClusterPlace::kLinkedDirectory, true, cluster_.rules);
    if (!proven && finding) {
        // Root gives nothing away because of a link alone.
        finding->change.reset();
        finding->cure = formatted("\"{}\" links to it, but it holds no {} of this cluster: make sure what it is.", entry.fact.path, what);
    }
    if (!proven && !finding && !is_wal && may_access(cluster_.rules.owner, target.file, kRead)) {
        finding = Finding{.file = target.file, .severity = Severity::kError, .problem = Problem::kMissing};
        finding->why = formatted("\"{}\" links to it, but it holds no tablespace of PostgreSQL {}.", entry.fact.path, *cluster_.major);
        finding->cure = "Mount or restore the tablespace.";
    }
    return finding ? sink_(std::move(*finding)) : Result<void>();
}

Result<void> ClusterWalk::visit_top(const Entry& entry) {
    if (cluster_.judged_apart.contains(entry.name)) return {};
    if (!is_cluster_name(entry.name) && !cluster_.named.contains(entry.name)) return sink_(foreign_file(entry.fact, cluster_.rules.owner));
    const bool is_directory = entry.fact.type == FileType::kDirectory;
    if (entry.name == "pg_wal" && entry.fact.type == FileType::kLink) return visit_link(entry, true);
    // A volume may be mounted there.
    if (entry.name == "pg_wal" && is_directory) return visit(entry, {1, false, entry.fact.device});
    if (entry.name != "pg_tblspc" || !is_directory) return visit(entry, {1, false, device_});
    TRY(for_each(entry.directory, "pg_tblspc", entry.fact, [&](const Entry& link) {
        return link.fact.type == FileType::kLink ? visit_link(link, false) : visit(link, {2, false, entry.fact.device});
    }));
    return judge(entry.fact, ClusterPlace::kInside, false);
}

Result<void> ClusterWalk::run() {
    const PathFacts root = look_at_path(cluster_.data_directory);
    if (auto way = judge_way(root, cluster_.rules.owner, "data directory")) TRY(sink_(std::move(*way)));
    device_ = root.file.device;
    TRY_ASSIGN(const UniqueFd fd, open_without_links(cluster_.data_directory));
    TRY(for_each(fd.get(), ".", root.file, [&](const Entry& entry) { return visit_top(entry); }));
    return judge(root.file, ClusterPlace::kDataDirectory, false);
}

}  // namespace

Result<void> walk_cluster(const WalkedCluster& cluster, const FindingSink& sink, const CancelToken& cancel) { return ClusterWalk(cluster, sink, cancel).run(); }

}  // namespace steward
