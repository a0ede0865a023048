#include "core/proof/scratch_directory.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "core/base/format.h"
#include "core/restore/target_directory.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Of sockaddr_un::sun_path, with the zero byte left out.
constexpr size_t kMostSocketPath = 107;
constexpr std::string_view kLongestSocketName = "/s/.s.PGSQL.5432";

constexpr ScratchUse kDrill = {"drill", "Give every cluster a \"steward.drill_directory\" of its own.", "set \"steward.drill_directory\" to another directory"};

Error busy_scratch(const fs::path& path, const ScratchUse& use, std::string detail) {
    return Error(ErrorCode::busy, formatted("scratch directory \"{}\" is in use", path.native()))
        .detail(std::move(detail))
        .hint(std::string(use.hint_when_busy))
        .object(path.native());
}

Result<void> check_parent(const fs::path& parent) {
    std::error_code problem;
    if (!fs::is_directory(parent, problem))
        return Error(ErrorCode::configuration, formatted("\"{}\" is not a directory", parent.native()))
            .hint("Make the directory that \"steward.drill_directory\" names, owned by the server's user.")
            .object(parent.native());
    if (parent.native().size() + 1 + kScratchName.size() + kLongestSocketName.size() > kMostSocketPath)
        return Error(ErrorCode::configuration, formatted("the path of directory \"{}\" is too long for a socket in it", parent.native()))
            .hint(formatted("Set \"steward.drill_directory\" to a path of at most {} bytes.",
                            kMostSocketPath - 1 - kScratchName.size() - kLongestSocketName.size()))
            .object(parent.native());
    return {};
}

/// What is there must be a directory of ours: with the marker, or empty, as one that was killed at once has left it.
Result<void> check_found(const fs::path& path, const ScratchUse& use) {
    struct stat found;
    if (::lstat(path.c_str(), &found) != 0) return Error::from_errno(errno, formatted("could not stat \"{}\"", path.native())).object(path.native());
    std::error_code problem;
    const bool ours = S_ISDIR(found.st_mode) && found.st_uid == ::geteuid() &&
                      (fs::is_regular_file(fs::symlink_status(path / kScratchMarker, problem)) || fs::is_empty(path, problem));
    if (ours) return {};
    return Error(ErrorCode::wrong_state, formatted("\"{}\" is there and no {} has left it", path.native(), use.work))
        .detail(formatted("It holds no file \"{}\", is not a directory, or belongs to another user.", kScratchMarker))
        .hint(formatted("Remove or rename it, or {}.", use.another))
        .object(path.native());
}

/// Open and lock the marker. Nothing when somebody who ended removed it in between.
Result<std::optional<UniqueFd>> lock_marker(const fs::path& path, const ScratchUse& use) {
    const fs::path name = path / kScratchMarker;
    TRY_ASSIGN(UniqueFd marker, open_file(name, O_RDWR | O_CREAT | O_NOFOLLOW));
    if (::flock(marker.get(), LOCK_EX | LOCK_NB) != 0) {
        if (errno == EWOULDBLOCK) return busy_scratch(path, use, formatted("Another {} runs there.", use.work));
        return Error::from_errno(errno, formatted("could not lock file \"{}\"", name.native())).object(name.native());
    }
    struct stat opened, named;
    const bool same = ::fstat(marker.get(), &opened) == 0 && ::lstat(name.c_str(), &named) == 0 && opened.st_ino == named.st_ino;
    return same ? std::optional(std::move(marker)) : std::nullopt;
}

}  // namespace

Result<ScratchDirectory> ScratchDirectory::take(const fs::path& path, const ScratchUse& use) {
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
        return Error::from_errno(errno, formatted("could not create directory \"{}\"", path.native())).object(path.native());
    TRY(check_found(path, use));
    TRY_ASSIGN(std::optional<UniqueFd> marker, lock_marker(path, use));
    if (!marker) return busy_scratch(path, use, formatted("Another {} has just ended there.", use.work));
    return ScratchDirectory(path, std::move(*marker));
}

Result<ScratchDirectory> ScratchDirectory::claim(const fs::path& parent) {
    TRY(check_parent(parent));
    const fs::path path = parent / kScratchName;
    TRY_ASSIGN(ScratchDirectory scratch, take(path, kDrill));
    if (const auto server = find_running_server(path / "data")) {
        scratch.leave();
        return busy_scratch(path, kDrill, formatted("Process {} of an earlier drill runs there.", *server));
    }
    TRY(scratch.remove_content());
    if (::mkdir(scratch.socket_directory().c_str(), 0700) != 0)
        return Error::from_errno(errno, formatted("could not create directory \"{}\"", scratch.socket_directory().native())).object(path.native());
    return scratch;
}

ScratchDirectory::~ScratchDirectory() { static_cast<void>(remove().ok()); }

Result<void> ScratchDirectory::remove_content(std::string_view kept) const {
    std::error_code problem;
    for (fs::directory_iterator entry(path_, problem), end; !problem && entry != end; entry.increment(problem)) {
        const std::string name = entry->path().filename();
        if (name == kScratchMarker || name == kept) continue;
        fs::remove_all(entry->path(), problem);
        if (problem) break;
    }
    if (problem) return Error::from_errno(problem.value(), formatted("could not empty directory \"{}\"", path_.native())).object(path_.native());
    return {};
}

Result<void> ScratchDirectory::remove() {
    if (!marker_.valid()) return {};
    TRY(remove_content());
    const fs::path marker = path_ / kScratchMarker;
    if (::unlink(marker.c_str()) != 0 || ::rmdir(path_.c_str()) != 0)
        return Error::from_errno(errno, formatted("could not remove directory \"{}\"", path_.native())).object(path_.native());
    marker_.reset();
    return {};
}

}  // namespace steward
