#include "program/permissions/file_rights.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

FileType type_of(mode_t mode) {
    if (S_ISREG(mode)) return FileType::kFile;
    if (S_ISDIR(mode)) return FileType::kDirectory;
    return S_ISLNK(mode) ? FileType::kLink : FileType::kOther;
}

Error could_not_change(std::string_view what, const fs::path& path) {
    const int problem = errno;
    Error error = Error::from_errno(problem, formatted("could not change {} of \"{}\"", what, path.native())).object(path.native());
    if (problem == EPERM)
        return std::move(error)
            .hint("Only root can give files away. If this is root, the file may be immutable (see \"lsattr\"), or the file system maps its users.");
    if (problem == EROFS) return std::move(error).hint("Mount the file system for writing.");
    return error;
}

bool is_same(const struct stat& st, const RightsChange& change) { return st.st_dev == change.device && st.st_ino == change.inode; }

/// Whether `name` is the one name of the inode behind `fd`, and it is still the one that was looked at. The count is read first: a
/// second name that goes between leaves the first, and that must be ours.
bool is_as_planned(int directory, const fs::path& name, int fd, const RightsChange& change, struct stat& st) {
    if (::fstat(fd, &st) != 0 || !is_same(st, change) || !change.fits(file_fact({}, st).rights)) return false;
    if (!S_ISDIR(st.st_mode) && (!S_ISREG(st.st_mode) || st.st_nlink != 1)) return false;
    struct stat named;
    return ::fstatat(directory, name.c_str(), &named, AT_SYMLINK_NOFOLLOW) == 0 && is_same(named, change);
}

}  // namespace

FileFact file_fact(std::string path, const struct stat& st) {
    return {.path = std::move(path), .type = type_of(st.st_mode), .rights = {st.st_uid, st.st_gid, st.st_mode & 07777}, .names = st.st_nlink,
            .device = st.st_dev, .inode = st.st_ino};
}

PathFacts look_at_path(const fs::path& path) {
    PathFacts facts;
    facts.path = path.native();
    std::error_code problem;
    fs::path real = fs::canonical(path, problem);
    if (problem) {
        facts.problem = problem.value();
        real = path.lexically_normal();
    }
    fs::path reached;
    struct stat st;
    for (const fs::path& part : real.parent_path()) {
        reached /= part;
        if (::stat(reached.c_str(), &st) != 0) return facts;
        facts.directories.push_back(file_fact(reached.native(), st));
    }
    facts.file.path = real.native();
    if (facts.problem != 0) return facts;
    if (::lstat(real.c_str(), &st) != 0)
        facts.problem = errno;
    else
        facts.file = file_fact(real.native(), st);
    return facts;
}

Result<UniqueFd> open_without_links(const fs::path& path) {
    UniqueFd fd;
    for (const fs::path& part : path) {
        if (part.empty()) continue;
        const bool root = part == part.root_directory();
        UniqueFd next(root ? ::open("/", O_PATH | O_DIRECTORY | O_CLOEXEC) : ::openat(fd.get(), part.c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
        if (!next.valid() && errno == ENOTDIR)
            return Error(ErrorCode::not_found, formatted("a symbolic link or a file stands in the path \"{}\"", path.native())).object(path.native());
        if (!next.valid()) return Error::from_errno(errno, formatted("could not open \"{}\"", path.native())).object(path.native());
        fd = std::move(next);
    }
    return fd;
}

Result<void> RightsChanger::enter(const fs::path& directory) {
    if (fd_.valid() && directory == directory_) return {};
    TRY_ASSIGN(fd_, open_without_links(directory));
    directory_ = directory;
    return {};
}

Result<ChangeOutcome> RightsChanger::change(const RightsChange& change) {
    const fs::path path = change.path;
    if (const Result<void> entered = enter(path.parent_path()); !entered.ok()) {
        if (entered.error().code() == ErrorCode::not_found) return ChangeOutcome::kSkipped;
        return entered.error();
    }
    const UniqueFd fd(::openat(fd_.get(), path.filename().c_str(), O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (!fd.valid()) {
        if (errno == ENOENT || errno == ENOTDIR) return ChangeOutcome::kSkipped;
        return Error::from_errno(errno, formatted("could not open \"{}\"", path.native())).object(path.native());
    }
    struct stat st;
    if (!is_as_planned(fd_.get(), path.filename(), fd.get(), change, st)) return ChangeOutcome::kSkipped;
    const FileRights& after = change.after;
    if (file_fact({}, st).rights == after) return ChangeOutcome::kNothing;
    if (st.st_uid != after.user || st.st_gid != after.group) {
        if (::fchownat(fd.get(), "", after.user, after.group, AT_EMPTY_PATH) != 0) return could_not_change("owner", path);
        if (::fstat(fd.get(), &st) != 0) return could_not_change("owner", path);
    }
    if ((st.st_mode & 07777) == after.mode) return ChangeOutcome::kDone;
    // fchmod takes no O_PATH descriptor, and another kind could not be opened without rights on the file.
    if (::chmod(formatted("/proc/self/fd/{}", fd.get()).c_str(), after.mode) != 0) return could_not_change("mode", path);
    return ChangeOutcome::kDone;
}

}  // namespace steward
