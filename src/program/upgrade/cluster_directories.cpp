#include "program/upgrade/cluster_directories.h"

#include <fcntl.h>
#include <stdio.h>

#include <cerrno>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/pg_control.h"
#include "core/postgres/pg_version.h"

namespace steward {

namespace fs = std::filesystem;

Result<SeenCluster> see_cluster(const fs::path& directory) {
    SeenCluster seen;
    std::error_code problem;
    if (!fs::exists(directory / "PG_VERSION", problem)) return seen;
    TRY_ASSIGN(seen.major, read_pg_version(directory));
    if (!fs::exists(directory / "global/pg_control", problem)) {
        seen.disabled = true;
        seen.mark = "disabled";
        return seen;
    }
    TRY_ASSIGN(const ControlFile control, read_control_file(directory));
    seen.system_identifier = control.system_identifier;
    seen.mark = formatted("{} {} {}", control.checkpoint_lsn, format_time(control.time), to_string(control.state));
    return seen;
}

std::set<fs::path> tablespace_locations(const fs::path& cluster) {
    std::set<fs::path> locations;
    std::error_code problem;
    for (fs::directory_iterator entry(cluster / "pg_tblspc", problem), end; !problem && entry != end; entry.increment(problem)) {
        std::error_code no_link;
        fs::path target = fs::read_symlink(entry->path(), no_link);
        if (!no_link && target.is_absolute()) locations.insert(std::move(target));
    }
    return locations;
}

std::vector<fs::path> version_directories(const fs::path& location, int major) {
    const std::string prefix = formatted("PG_{}_", major);
    std::vector<fs::path> directories;
    std::error_code problem;
    for (fs::directory_iterator entry(location, problem), end; !problem && entry != end; entry.increment(problem)) {
        const std::string name = entry->path().filename();
        if (name.starts_with(prefix) && name.find_first_not_of("0123456789", prefix.size()) == name.npos) directories.push_back(entry->path());
    }
    return directories;
}

Result<void> remove_tree(const fs::path& path) {
    std::error_code problem;
    fs::remove_all(path, problem);
    if (problem) return Error::from_errno(problem.value(), formatted("could not remove \"{}\"", path.native())).object(path.native());
    return {};
}

Result<void> remove_cluster(const fs::path& cluster) {
    std::error_code problem;
    if (const fs::path wal = fs::read_symlink(cluster / "pg_wal", problem); !problem && wal.is_absolute()) TRY(remove_tree(wal));
    return remove_tree(cluster);
}

Result<void> rename_durably(const fs::path& from, const fs::path& to) {
    if (::rename(from.c_str(), to.c_str()) != 0)
        return Error::from_errno(errno, formatted("could not rename \"{}\" to \"{}\"", from.native(), to.native())).object(from.native());
    TRY(sync_directory(to.parent_path()));
    return sync_directory(from.parent_path());
}

Result<bool> exchange_directories(const fs::path& one, const fs::path& other) {
    if (::renameat2(AT_FDCWD, one.c_str(), AT_FDCWD, other.c_str(), RENAME_EXCHANGE) != 0) {
        if (errno == EINVAL || errno == ENOSYS || errno == ENOTSUP) return false;
        return Error::from_errno(errno, formatted("could not exchange \"{}\" and \"{}\"", one.native(), other.native())).object(one.native());
    }
    TRY(sync_directory(one.parent_path()));
    TRY(sync_directory(other.parent_path()));
    return true;
}

Result<void> take_place(const fs::path& made, const fs::path& directory, const fs::path& aside, DirectoryExchange exchange) {
    std::error_code problem;
    if (fs::exists(fs::symlink_status(directory, problem))) {
        TRY_ASSIGN(const bool exchanged, exchange(directory, made));
        if (exchanged) return rename_durably(made, aside);
        TRY(rename_durably(directory, aside));
    }
    return rename_durably(made, directory);
}

}  // namespace steward
