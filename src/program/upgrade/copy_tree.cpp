#include "program/upgrade/copy_tree.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <map>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr size_t kBuffer = size_t{1} << 20;

Error from_path(std::string_view what, const fs::path& path, int cause) {
    return Error::from_errno(cause, formatted("could not {} \"{}\"", what, path.native())).object(path.native());
}

Result<void> copy_content(int from, int to, uint64_t size, const fs::path& path, const CancelToken& cancel) {
    for (uint64_t done = 0; done < size;) {
        TRY(check_cancel(cancel));
        const ssize_t n = ::copy_file_range(from, nullptr, to, nullptr, std::min<uint64_t>(size - done, 64 * kBuffer), 0);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0 && done == 0 && (errno == EXDEV || errno == EINVAL || errno == ENOSYS || errno == EOPNOTSUPP)) break;
        if (n < 0) return from_path("copy file", path, errno);
        if (n == 0) return {};
        done += static_cast<uint64_t>(n);
        if (done == size) return {};
    }
    Bytes buffer(kBuffer);
    for (uint64_t offset = 0; offset < size;) {
        TRY(check_cancel(cancel));
        TRY_ASSIGN(const size_t n, read_at(from, offset, buffer, path));
        if (n == 0) return {};
        TRY(write_at(to, offset, ByteView(buffer).first(n), path));
        offset += n;
    }
    return {};
}

Result<void> copy_file_to(const fs::path& from, const fs::path& to, CopiedTree& copied, const CancelToken& cancel) {
    TRY_ASSIGN(const UniqueFd source, open_file(from, O_RDONLY | O_NOFOLLOW));
    struct stat st;
    if (::fstat(source.get(), &st) != 0) return from_path("look at", from, errno);
    TRY_ASSIGN(const UniqueFd target, open_file(to, O_RDWR | O_CREAT | O_EXCL, st.st_mode & 07777));
    const auto size = static_cast<uint64_t>(st.st_size);
    if (::ioctl(target.get(), FICLONE, source.get()) == 0)
        copied.shared_bytes += size;
    else
        TRY(copy_content(source.get(), target.get(), size, from, cancel));
    if (::fchmod(target.get(), st.st_mode & 07777) != 0) return from_path("set the mode of", to, errno);
    ++copied.files;
    copied.bytes += size;
    return {};
}

Result<void> copy_directory(const fs::path& from, const fs::path& to, CopiedTree& copied, const CancelToken& cancel) {
    struct stat st;
    if (::stat(from.c_str(), &st) != 0) return from_path("look at", from, errno);
    if (::mkdir(to.c_str(), 0700) != 0) return from_path("create directory", to, errno);
    std::error_code problem;
    fs::directory_iterator entry(from, problem);
    for (const fs::directory_iterator end; !problem && entry != end; entry.increment(problem)) {
        TRY(check_cancel(cancel));
        const fs::path target = to / entry->path().filename();
        std::error_code ignored;
        if (entry->is_symlink(ignored)) {
            fs::copy_symlink(entry->path(), target, problem);
            if (problem) return from_path("copy link", entry->path(), problem.value());
        } else if (entry->is_directory(ignored)) {
            TRY(copy_directory(entry->path(), target, copied, cancel));
        } else if (entry->is_regular_file(ignored)) {
            TRY(copy_file_to(entry->path(), target, copied, cancel));
        }
    }
    if (problem) return from_path("read directory", from, problem.value());
    if (::chmod(to.c_str(), st.st_mode & 07777) != 0) return from_path("set the mode of", to, errno);
    return {};
}

/// Flush everything of the file system that `directory` is on: one call for however many files.
Result<void> sync_file_system(const fs::path& directory) {
    TRY_ASSIGN(const UniqueFd fd, open_file(directory, O_RDONLY | O_DIRECTORY));
    if (::syncfs(fd.get()) != 0) return from_path("flush the file system of", directory, errno);
    return {};
}

Error differs(const fs::path& original, std::string_view how) {
    return Error(ErrorCode::corrupt_object, formatted("the copy of \"{}\" {}", original.native(), how)).hint("Check the disk, and run this again.").object(original.native());
}

Result<void> compare_files(const fs::path& original, const fs::path& copy, const CancelToken& cancel) {
    TRY_ASSIGN(const UniqueFd one, open_file(original, O_RDONLY | O_NOFOLLOW));
    TRY_ASSIGN(const UniqueFd other, open_file(copy, O_RDONLY | O_NOFOLLOW));
    ::posix_fadvise(other.get(), 0, 0, POSIX_FADV_DONTNEED);
    Bytes mine(kBuffer), theirs(kBuffer);
    for (uint64_t offset = 0;;) {
        TRY(check_cancel(cancel));
        TRY_ASSIGN(const size_t n, read_at(one.get(), offset, mine, original));
        TRY_ASSIGN(const size_t m, read_at(other.get(), offset, theirs, copy));
        if (n != m) return differs(original, "has another size");
        if (std::memcmp(mine.data(), theirs.data(), n) != 0) return differs(original, formatted("has other bytes between {} and {}", offset, offset + n));
        if (n < kBuffer) return {};
        offset += n;
    }
}

Result<std::map<std::string, fs::file_type>> names_of(const fs::path& directory) {
    std::map<std::string, fs::file_type> names;
    std::error_code problem;
    fs::directory_iterator entry(directory, problem);
    for (const fs::directory_iterator end; !problem && entry != end; entry.increment(problem)) {
        const fs::file_type type = entry->symlink_status(problem).type();
        if (type == fs::file_type::regular || type == fs::file_type::directory || type == fs::file_type::symlink) names[entry->path().filename()] = type;
    }
    if (problem) return from_path("read directory", directory, problem.value());
    return names;
}

}  // namespace

bool can_reflink(const fs::path& directory) {
    constexpr std::string_view kContent = "x";
    const Result<UniqueFd> from = open_file(directory, O_TMPFILE | O_RDWR), to = open_file(directory, O_TMPFILE | O_RDWR);
    if (!from.ok() || !to.ok() || !write_all(from->get(), as_bytes(kContent), directory).ok()) return false;
    return ::ioctl(to->get(), FICLONE, from->get()) == 0;
}

Result<CopiedTree> copy_tree(const fs::path& from, const fs::path& to, const CancelToken& cancel) {
    CopiedTree copied;
    TRY(copy_directory(from, to, copied, cancel));
    TRY(sync_file_system(to));
    TRY(sync_directory(to.parent_path()));
    return copied;
}

Result<void> compare_trees(const fs::path& original, const fs::path& copy, const CancelToken& cancel) {
    TRY_ASSIGN(const auto mine, names_of(original));
    TRY_ASSIGN(const auto theirs, names_of(copy));
    if (mine != theirs) return differs(original, "has other entries");
    for (const auto& [name, type] : mine) {
        const fs::path one = original / name, other = copy / name;
        std::error_code problem;
        if (type == fs::file_type::directory)
            TRY(compare_trees(one, other, cancel));
        else if (type == fs::file_type::regular)
            TRY(compare_files(one, other, cancel));
        else if (fs::read_symlink(one, problem) != fs::read_symlink(other, problem))
            return differs(one, "has another target");
    }
    return {};
}

}  // namespace steward
