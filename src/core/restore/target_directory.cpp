#include "core/restore/target_directory.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/postgres/pg_control.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

std::optional<pid_t> parse_pid(std::string_view text) {
    pid_t pid = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), pid);
    if (problem != std::errc() || pid <= 0) return std::nullopt;
    return pid;
}

std::string command_of(const fs::path& process) {
    const Result<Bytes> text = read_file(process / "comm", 4096);
    std::string name = text.ok() ? std::string(as_text(*text)) : std::string();
    while (!name.empty() && name.back() == '\n') name.pop_back();
    return name;
}

/// "postmaster.pid" names a process that lives and about which nothing else can be learned. One that has ended and only waits for its parent is among
/// them: the server would not start either as long as its lock names it.
std::optional<pid_t> unreadable_postmaster(const fs::path& directory) {
    const Result<Bytes> lock = read_file(directory / "postmaster.pid", 4096);
    if (!lock.ok()) return std::nullopt;
    const std::string_view text = as_text(*lock);
    const std::optional<pid_t> pid = parse_pid(text.substr(0, text.find('\n')));
    if (!pid || (::kill(*pid, 0) != 0 && errno != EPERM)) return std::nullopt;
    std::error_code problem;
    static_cast<void>(fs::read_symlink(fs::path("/proc") / std::to_string(*pid) / "cwd", problem));
    return problem ? pid : std::nullopt;
}

std::vector<fs::path> tablespaces_in_marker(const fs::path& marker) {
    std::vector<fs::path> paths;
    const Result<Bytes> text = read_file(marker, 1 << 20);
    if (!text.ok()) return paths;
    const Json json = parse_json(as_text(*text));
    if (json.is_object() && json.contains("tablespaces") && json["tablespaces"].is_array())
        for (const auto& path : json["tablespaces"])
            if (path.is_string()) paths.emplace_back(path.get<std::string>());
    return paths;
}

std::vector<fs::path> linked_tablespaces(const fs::path& directory) {
    std::vector<fs::path> paths;
    std::error_code problem;
    for (fs::directory_iterator entry(directory / "pg_tblspc", problem), end; !problem && entry != end; entry.increment(problem)) {
        std::error_code no_link;
        fs::path target = fs::canonical(entry->path(), no_link);
        if (!no_link && entry->is_symlink()) paths.push_back(std::move(target));
    }
    return paths;
}

Result<DirectoryContent> look_into(const fs::path& path) {
    std::error_code problem;
    fs::directory_iterator entries(path, problem);
    if (problem)
        return Error::from_errno(problem.value(), formatted("could not open directory \"{}\"", path.native())).object(path.native());
    const bool empty = std::all_of(fs::begin(entries), fs::end(entries), [](const auto& entry) { return entry.path().filename() == "lost+found"; });
    if (empty) return DirectoryContent::kEmpty;
    const bool ours = fs::exists(path / kRestoreMarker, problem) && !fs::exists(path / "global/pg_control", problem);
    return ours ? DirectoryContent::kInterrupted : DirectoryContent::kOther;
}

std::string_view name_of(DirectoryRole role) { return role == DirectoryRole::kData ? "data directory" : "tablespace directory"; }

Result<void> move_aside(const DirectoryPlan& plan) {
    if (::rename(plan.path.c_str(), plan.aside.c_str()) != 0)
        return Error::from_errno(errno, formatted("could not rename directory \"{}\" to \"{}\"", plan.path.native(), plan.aside.native()))
            .object(plan.path.native());
    return sync_directory(plan.path.parent_path());
}

}  // namespace

std::optional<pid_t> find_running_server(const fs::path& directory) {
    std::error_code problem;
    const fs::path canonical = fs::canonical(directory, problem);
    if (problem) return std::nullopt;
    for (fs::directory_iterator process("/proc", problem), end; !problem && process != end; process.increment(problem)) {
        const std::optional<pid_t> pid = parse_pid(process->path().filename().native());
        if (!pid) continue;
        std::error_code unreadable;
        if (fs::read_symlink(process->path() / "cwd", unreadable) != canonical || unreadable) continue;
        if (command_of(process->path()).starts_with("postgres")) return pid;
    }
    return unreadable_postmaster(canonical);
}

Result<DirectoryFacts> inspect_directory(const fs::path& path) {
    if (!path.is_absolute())
        return Error(ErrorCode::invalid_argument, formatted("directory \"{}\" is not an absolute path", path.native())).object(path.native());
    std::error_code problem;
    DirectoryFacts facts;
    facts.path = fs::weakly_canonical(path, problem).lexically_normal();
    if (problem) return Error::from_errno(problem.value(), formatted("could not resolve path \"{}\"", path.native())).object(path.native());
    if (!facts.path.has_filename()) facts.path = facts.path.parent_path();

    struct stat st;
    if (::stat(facts.path.c_str(), &st) != 0) {
        if (errno == ENOENT) return facts;
        return Error::from_errno(errno, formatted("could not stat \"{}\"", facts.path.native())).object(facts.path.native());
    }
    if (!S_ISDIR(st.st_mode))
        return Error(ErrorCode::invalid_argument, formatted("\"{}\" is not a directory", facts.path.native())).object(facts.path.native());
    facts.owner = FileOwner{st.st_uid, st.st_gid};
    facts.mount_point = is_mount_point(facts.path);
    facts.server = find_running_server(facts.path);
    TRY_ASSIGN(facts.content, look_into(facts.path));
    facts.tablespaces = linked_tablespaces(facts.path);
    if (const Result<ControlFile> control = read_control_file(facts.path); control.ok()) facts.system_identifier = control->system_identifier;
    if (facts.content == DirectoryContent::kInterrupted) facts.interrupted_tablespaces = tablespaces_in_marker(facts.path / kRestoreMarker);
    return facts;
}

/// Linux 5.8 and later say it of bind mounts too, which are on their parent's device.
bool is_mount_point(const fs::path& path) {
    struct statx stx;
    if (::statx(AT_FDCWD, path.c_str(), 0, STATX_BASIC_STATS, &stx) != 0) return false;
    if (stx.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) return (stx.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
    struct stat own, parent;
    if (::stat(path.c_str(), &own) != 0 || ::stat((path / "..").c_str(), &parent) != 0) return false;
    return own.st_dev != parent.st_dev || own.st_ino == parent.st_ino;
}

Result<DirectoryPlan> decide_directory(const DirectoryFacts& facts, DirectoryRole role, ExistingContent existing, const std::string& time_suffix) {
    if (facts.server)
        return Error(ErrorCode::busy, formatted("{} \"{}\" is in use by a running server", name_of(role), facts.path.native()))
            .detail(formatted("Process {} works in it.", *facts.server))
            .hint("Stop the server first, or restore to another directory.")
            .object(facts.path.native());
    switch (facts.content) {
        case DirectoryContent::kMissing: return DirectoryPlan{facts.path, DirectoryAction::kCreate, {}};
        case DirectoryContent::kEmpty: return DirectoryPlan{facts.path, DirectoryAction::kUse, {}};
        case DirectoryContent::kInterrupted: return DirectoryPlan{facts.path, DirectoryAction::kCompare, {}};
        case DirectoryContent::kOther: break;
    }
    const Error occupied = Error(ErrorCode::wrong_state, formatted("{} \"{}\" is not empty", name_of(role), facts.path.native())).object(facts.path.native());
    if (existing == ExistingContent::kRefuse)
        return Error(occupied).hint("Use --delta to write only what differs, --preserve-existing to have it renamed, or restore to another directory.");
    if (existing == ExistingContent::kCompare) return DirectoryPlan{facts.path, DirectoryAction::kCompare, {}};
    if (facts.mount_point)
        return Error(occupied)
            .detail("It cannot be renamed, because it is a mount point.")
            .hint("Move its content away, or restore to a directory below it.");
    return DirectoryPlan{facts.path, DirectoryAction::kMoveAside, facts.path.native() + ".before-restore-" + time_suffix};
}

Result<void> check_same_cluster(const DirectoryFacts& facts, uint64_t system_identifier) {
    if (facts.system_identifier == system_identifier) return {};
    constexpr std::string_view kHint = "Use --preserve-existing to have it renamed, or restore to another directory.";
    if (!facts.system_identifier)
        return Error(ErrorCode::wrong_state, formatted("could not tell which cluster data directory \"{}\" belongs to", facts.path.native()))
            .detail("Its control file is missing or damaged.")
            .hint(std::string(kHint))
            .object(facts.path.native());
    return Error(ErrorCode::wrong_state, formatted("data directory \"{}\" belongs to another cluster", facts.path.native()))
        .detail(formatted("Its system identifier is {}, that of the backup {}.", *facts.system_identifier, system_identifier))
        .hint(std::string(kHint))
        .object(facts.path.native());
}

Result<std::optional<FileOwner>> decide_owner(const DirectoryFacts& facts, bool is_root, std::optional<FileOwner> asked) {
    if (!is_root) {
        if (!asked) return std::optional<FileOwner>();
        return Error(ErrorCode::usage, "only root can give files to another user").hint("Leave --owner out, or run as root.");
    }
    const std::optional<FileOwner> owner = asked ? asked : facts.owner;
    if (!owner)
        return Error(ErrorCode::usage, formatted("directory \"{}\" does not exist, and root cannot own a data directory", facts.path.native()))
            .hint("Name the server's user with --owner, or run as that user.");
    if (owner->user == 0)
        return Error(ErrorCode::usage, "a data directory cannot belong to root")
            .detail("PostgreSQL refuses to run as root.")
            .hint("Name the server's user with --owner, or run as that user.");
    return owner;
}

Result<void> prepare_directory(const DirectoryPlan& plan, mode_t mode, std::optional<FileOwner> owner) {
    if (plan.action == DirectoryAction::kMoveAside) TRY(move_aside(plan));
    TRY(create_directories_durably(plan.path, mode));
    TRY_ASSIGN(const UniqueFd fd, open_file(plan.path, O_RDONLY | O_DIRECTORY));
    if (owner && ::fchown(fd.get(), owner->user, owner->group) != 0)
        return Error::from_errno(errno, formatted("could not change owner of \"{}\"", plan.path.native())).object(plan.path.native());
    if (::fchmod(fd.get(), mode) != 0)
        return Error::from_errno(errno, formatted("could not change permissions of \"{}\"", plan.path.native())).object(plan.path.native());
    return {};
}

Result<void> follow_moved_tablespace(const fs::path& old_data_directory, const DirectoryPlan& tablespace) {
    const fs::path links = old_data_directory / "pg_tblspc";
    std::error_code problem;
    for (fs::directory_iterator entry(links, problem), end; !problem && entry != end; entry.increment(problem)) {
        std::error_code no_link;
        if (fs::read_symlink(entry->path(), no_link) != tablespace.path || no_link) continue;
        const fs::path replacement = entry->path().native() + ".moved";
        fs::create_symlink(tablespace.aside, replacement, problem);
        if (!problem) fs::rename(replacement, entry->path(), problem);
        if (problem)
            return Error::from_errno(problem.value(), formatted("could not change symbolic link \"{}\"", entry->path().native()))
                .object(entry->path().native());
        return sync_directory(links);
    }
    return {};
}

}  // namespace steward
