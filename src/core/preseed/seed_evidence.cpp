#include "core/preseed/seed_evidence.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/pg_version.h"
#include "core/repository/succession.h"
#include "core/restore/unpack.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

bool is_there(const fs::path& path) {
    struct stat st;
    return ::lstat(path.c_str(), &st) == 0;
}

bool is_dangling(const fs::path& path) {
    struct stat st;
    return ::lstat(path.c_str(), &st) == 0 && S_ISLNK(st.st_mode) && ::stat(path.c_str(), &st) != 0;
}

UnmountedPlace dangling(const fs::path& path) {
    std::error_code problem;
    return {path, formatted("\"{}\" is a symbolic link to \"{}\", which is not there.", path.native(), fs::read_symlink(path, problem).native())};
}

/// The first link on the way to `path` that leads nowhere.
std::optional<UnmountedPlace> dangling_link_to(const fs::path& path) {
    fs::path way;
    for (const fs::path& part : path) {
        way /= part;
        if (is_dangling(way)) return dangling(way);
    }
    return std::nullopt;
}

/// Symbolic links of a data directory to other volumes.
void find_dangling_links(const fs::path& directory, std::vector<UnmountedPlace>& found) {
    if (is_dangling(directory / "pg_wal")) found.push_back(dangling(directory / "pg_wal"));
    std::vector<fs::path> links;
    std::error_code problem;
    for (fs::directory_iterator entry(directory / "pg_tblspc", problem), end; !problem && entry != end; entry.increment(problem))
        if (is_dangling(entry->path())) links.push_back(entry->path());
    std::ranges::sort(links);
    for (const fs::path& link : links) found.push_back(dangling(link));
}

bool is_marker_in_the_making(std::string_view name) { return name.starts_with(kRestoreMarker) && name != kRestoreMarker; }

Result<std::vector<std::string>> list_names(const fs::path& directory) {
    std::vector<std::string> names;
    std::error_code problem;
    fs::directory_iterator entry(directory, problem);
    for (const fs::directory_iterator end; !problem && entry != end; entry.increment(problem)) names.push_back(entry->path().filename().native());
    if (problem)
        return Error::from_errno(problem.value(), formatted("could not read directory \"{}\"", directory.native())).object(directory.native());
    std::ranges::sort(names);
    return names;
}

bool is_nothing(const std::vector<std::string>& names) {
    return std::ranges::all_of(names, [](const std::string& name) { return name == "lost+found" || is_marker_in_the_making(name); });
}

void look_at_cluster_parts(SeedEvidence& evidence) {
    const fs::path& directory = evidence.directory;
    evidence.content = SeedContent::kDamaged;
    if (!is_there(directory / "PG_VERSION"))
        evidence.damage = "It has a control file and no file \"PG_VERSION\".";
    else if (!is_there(directory / kControlFile))
        evidence.damage = formatted("It has a file \"PG_VERSION\" and no file \"{}\".", kControlFile);
    else if (!is_there(directory / "pg_wal"))
        evidence.damage = "It has no directory \"pg_wal\".";
    else
        evidence.content = SeedContent::kCluster;
}

Result<void> read_cluster(SeedEvidence& evidence) {
    const Result<ControlFile> control = read_control_file(evidence.directory);
    if (control.ok()) {
        TRY_ASSIGN(const int major, read_pg_version(evidence.directory));
        evidence.cluster = SeedCluster{major, control->system_identifier, control->state};
        // A mark that cannot be read is one that is not there: the server says what is wrong with it.
        const Result<std::optional<Succession>> mark = read_succession(evidence.directory);
        for (const Predecessor& predecessor : predecessors_of(control->system_identifier, mark.ok() ? *mark : std::nullopt))
            evidence.cluster->predecessors.push_back(predecessor.system_identifier);
        return {};
    }
    if (control.error().code() != ErrorCode::corrupt_object) return control.error();
    evidence.content = SeedContent::kDamaged;
    evidence.damage = formatted("Its control file or its version cannot be understood: {}.", control.error().message());
    return {};
}

Result<void> look_into(SeedEvidence& evidence) {
    const fs::path& directory = evidence.directory;
    TRY_ASSIGN(std::vector<std::string> names, list_names(directory));
    evidence.entries = names.size();
    evidence.marker = is_there(directory / kRestoreMarker);
    // A mount point, seen from another host's or a container's side, need not look like one.
    if (std::ranges::find(names, "lost+found") != names.end()) evidence.in_place = true;
    find_dangling_links(directory, evidence.unmounted);

    const bool has_control_file = is_there(directory / kControlFile);
    if (is_nothing(names))
        evidence.content = SeedContent::kEmpty;
    else if (evidence.marker && !has_control_file)
        evidence.content = SeedContent::kInterrupted;
    else if (is_there(directory / "PG_VERSION") || has_control_file)
        look_at_cluster_parts(evidence);
    else
        evidence.content = SeedContent::kForeign;
    if (evidence.content == SeedContent::kCluster) TRY(read_cluster(evidence));
    if (evidence.content == SeedContent::kForeign || evidence.content == SeedContent::kDamaged) {
        names.resize(std::min(names.size(), kShownNames));
        evidence.names = std::move(names);
    }
    return {};
}

}  // namespace

std::string_view to_string(SeedContent content) {
    switch (content) {
        case SeedContent::kMissing: return "missing";
        case SeedContent::kEmpty: return "empty";
        case SeedContent::kInterrupted: return "interrupted restore";
        case SeedContent::kCluster: return "cluster";
        case SeedContent::kDamaged: return "damaged cluster";
        case SeedContent::kForeign: return "foreign";
    }
    return {};
}

fs::path restore_workplace(const fs::path& directory) { return directory.native() + ".preseed-restore"; }

fs::path initdb_workplace(const fs::path& directory) { return directory.native() + ".preseed-initdb"; }

Result<SeedEvidence> inspect_seed(const fs::path& directory, std::span<const fs::path> mount_points) {
    SeedEvidence evidence;
    for (const fs::path& point : mount_points) {
        if (is_mount_point(point)) continue;
        evidence.unmounted.push_back({point, formatted("\"{}\" is {}.", point.native(), is_there(point) ? "no mount point" : "not there")});
    }
    if (auto link = dangling_link_to(directory)) {
        evidence.directory = directory;
        evidence.unmounted.push_back(std::move(*link));
        return evidence;
    }
    TRY_ASSIGN(const DirectoryFacts facts, inspect_directory(directory));
    evidence.directory = facts.path;
    evidence.owner = facts.owner;
    evidence.restore_leftover = is_there(restore_workplace(facts.path));
    evidence.initdb_leftover = is_there(initdb_workplace(facts.path));
    if (facts.content == DirectoryContent::kMissing) {
        const fs::path parent = facts.path.parent_path();
        if (!is_there(parent)) evidence.unmounted.push_back({parent, formatted("Directory \"{}\" is not there.", parent.native())});
        return evidence;
    }
    evidence.in_place = is_mount_point(facts.path);
    TRY(look_into(evidence));
    return evidence;
}

Result<SeedCluster> read_seeded_cluster(const fs::path& directory) {
    TRY_ASSIGN(const SeedEvidence evidence, inspect_seed(directory, {}));
    if (evidence.content == SeedContent::kCluster && evidence.unmounted.empty() && !evidence.marker) return *evidence.cluster;
    return Error(ErrorCode::wrong_state, formatted("what was made in \"{}\" is not a whole cluster", directory.native()))
        .detail(evidence.damage.empty() ? formatted("It is: {}.", to_string(evidence.content)) : evidence.damage)
        .object(directory.native());
}

Result<void> remove_half_marker(const fs::path& directory) {
    if (!is_there(directory)) return {};
    TRY_ASSIGN(const std::vector<std::string> names, list_names(directory));
    if (!is_nothing(names)) return {};
    for (const std::string& name : names) {
        if (!is_marker_in_the_making(name)) continue;
        const fs::path file = directory / name;
        if (::unlink(file.c_str()) != 0) return Error::from_errno(errno, formatted("could not remove file \"{}\"", file.native())).object(file.native());
    }
    return {};
}

}  // namespace steward
