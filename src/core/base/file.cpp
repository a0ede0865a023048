#include "core/base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>

#include "core/base/format.h"

namespace steward {

namespace fs = std::filesystem;

void UniqueFd::reset() {
    // close() releases the descriptor even when it fails; what was written is made durable by sync_file before this.
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<UniqueFd> open_file(const fs::path& path, int flags, mode_t mode) {
    for (;;) {
        const int fd = ::open(path.c_str(), flags | O_CLOEXEC, mode);
        if (fd >= 0) return UniqueFd(fd);
        if (errno != EINTR)
            return Error::from_errno(errno, formatted("could not open file \"{}\"", path.native())).object(path.native());
    }
}

Result<size_t> read_at(int fd, uint64_t offset, MutableByteView into, const fs::path& path) {
    size_t done = 0;
    while (done < into.size()) {
        const ssize_t n = ::pread(fd, into.data() + done, into.size() - done, static_cast<off_t>(offset + done));
        if (n == 0) break;
        if (n > 0) {
            done += static_cast<size_t>(n);
        } else if (errno != EINTR) {
            return Error::from_errno(errno, formatted("could not read file \"{}\" at offset {}", path.native(), offset + done))
                .object(path.native());
        }
    }
    return done;
}

namespace {

/// Run one write call until everything is written; `write_some(done)` writes from position `done` on.
template <typename WriteSome>
Result<void> write_until_done(size_t size, const fs::path& path, WriteSome write_some) {
    size_t done = 0;
    while (done < size) {
        const ssize_t n = write_some(done);
        if (n > 0) {
            done += static_cast<size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            // A write of nothing without an error happens on some file systems when the disk is full.
            return Error::from_errno(n == 0 ? ENOSPC : errno, formatted("could not write file \"{}\"", path.native()))
                .object(path.native());
        }
    }
    return {};
}

}  // namespace

Result<void> write_at(int fd, uint64_t offset, ByteView bytes, const fs::path& path) {
    return write_until_done(bytes.size(), path, [&](size_t done) {
        return ::pwrite(fd, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    });
}

Result<void> write_all(int fd, ByteView bytes, const fs::path& path) {
    return write_until_done(bytes.size(), path, [&](size_t done) { return ::write(fd, bytes.data() + done, bytes.size() - done); });
}

Result<void> sync_file(int fd, const fs::path& path) {
    if (::fsync(fd) == 0) return {};
    return Error::from_errno(errno, formatted("could not fsync file \"{}\"", path.native())).object(path.native());
}

Result<void> sync_directory(const fs::path& directory) {
    TRY_ASSIGN(const UniqueFd fd, open_file(directory, O_RDONLY | O_DIRECTORY));
    // Some file systems refuse fsync on directories with EBADF or EINVAL; there is nothing more to do on those.
    if (::fsync(fd.get()) == 0 || errno == EBADF || errno == EINVAL) return {};
    return Error::from_errno(errno, formatted("could not fsync directory \"{}\"", directory.native())).object(directory.native());
}

Result<Bytes> read_file(const fs::path& path, uint64_t limit) {
    TRY_ASSIGN(const UniqueFd fd, open_file(path, O_RDONLY));
    struct stat st;
    if (::fstat(fd.get(), &st) != 0)
        return Error::from_errno(errno, formatted("could not stat file \"{}\"", path.native())).object(path.native());
    Bytes content(static_cast<size_t>(st.st_size));
    uint64_t done = 0;
    // Files in /proc report size 0 and files may grow: read until the end is seen, not until the size is reached.
    for (;;) {
        if (done == content.size()) content.resize(content.size() + 4096);
        if (content.size() > limit + 4096)
            return Error(ErrorCode::io_error, formatted("file \"{}\" is larger than {} bytes", path.native(), limit)).object(path.native());
        TRY_ASSIGN(const size_t n, read_at(fd.get(), done, MutableByteView(content).subspan(done), path));
        if (n == 0) break;
        done += n;
    }
    content.resize(done);
    return content;
}

Result<void> write_file_durably(const fs::path& path, ByteView content, mode_t mode) {
    static std::atomic<unsigned> counter{0};
    fs::path temporary = path;
    temporary += formatted(".tmp.{}.{}", ::getpid(), counter++);
    auto write_and_rename = [&]() -> Result<void> {
        TRY_ASSIGN(const UniqueFd fd, open_file(temporary, O_WRONLY | O_CREAT | O_EXCL, mode));
        TRY(write_all(fd.get(), content, temporary));
        TRY(sync_file(fd.get(), temporary));
        if (::rename(temporary.c_str(), path.c_str()) != 0)
            return Error::from_errno(errno, formatted("could not rename file \"{}\" to \"{}\"", temporary.native(), path.native()))
                .object(path.native());
        return sync_directory(path.parent_path().empty() ? fs::path(".") : path.parent_path());
    };
    Result<void> result = write_and_rename();
    if (!result.ok()) ::unlink(temporary.c_str());
    return result;
}

Result<void> create_directories_durably(const fs::path& directory, mode_t mode) {
    if (directory.empty()) return {};
    if (::mkdir(directory.c_str(), mode) == 0) return sync_directory(directory.parent_path().empty() ? fs::path(".") : directory.parent_path());
    if (errno == ENOENT && directory.has_parent_path() && directory.parent_path() != directory) {
        TRY(create_directories_durably(directory.parent_path(), mode));
        return create_directories_durably(directory, mode);
    }
    const int cause = errno;
    std::error_code ignored;
    if (cause == EEXIST && fs::is_directory(directory, ignored)) return {};
    return Error::from_errno(cause, formatted("could not create directory \"{}\"", directory.native())).object(directory.native());
}

}  // namespace steward
