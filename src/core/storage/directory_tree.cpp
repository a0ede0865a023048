#include "core/storage/directory_tree.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "core/storage/file_object_error.h"

namespace steward {

namespace {

/// How often a directory may vanish under our hands (a concurrent remove prunes it) before that is an error.
constexpr int kMaxAttempts = 1000;
/// Far more than the directories in use at a time; the map is dropped when it is full, which costs a few flushes.
constexpr size_t kMaxRemembered = 4096;

int open_directory(const std::filesystem::path& path) { return ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC); }

}  // namespace

std::string_view directory_of_key(std::string_view key) {
    const size_t slash = key.rfind('/');
    return slash == std::string_view::npos ? std::string_view() : key.substr(0, slash);
}

std::filesystem::path DirectoryTree::path_of(std::string_view directory) const {
    return directory.empty() ? root_ : root_ / directory;
}

std::optional<DirectoryTree::Identity> DirectoryTree::identity_of(int fd) {
    struct statx st;
    if (::statx(fd, "", AT_EMPTY_PATH, STATX_INO | STATX_BTIME, &st) != 0) return std::nullopt;
    // Without a birth time a reused inode could pass for the directory we know.
    if ((st.stx_mask & STATX_BTIME) == 0) return std::nullopt;
    return Identity{uint64_t{st.stx_dev_major} << 32 | st.stx_dev_minor, st.stx_ino,
                    st.stx_btime.tv_sec * 1'000'000'000 + st.stx_btime.tv_nsec};
}

bool DirectoryTree::is_durable(std::string_view directory, int fd) const {
    if (directory.empty()) return true;  // FileStorage::open answers for the root
    const std::optional<Identity> identity = identity_of(fd);
    const std::lock_guard lock(mutex_);
    const auto known = durable_.find(directory);
    return known != durable_.end() && identity && known->second == *identity;
}

void DirectoryTree::remember(std::string_view directory, int fd) {
    const std::optional<Identity> identity = identity_of(fd);
    if (!identity) return;
    const std::lock_guard lock(mutex_);
    if (durable_.size() >= kMaxRemembered) durable_.clear();
    durable_.insert_or_assign(std::string(directory), *identity);
}

int DirectoryTree::make(std::string_view directory) const {
    if (directory.empty()) return ENOENT;  // the root is not ours to make
    if (::mkdir(path_of(directory).c_str(), 0700) == 0 || errno == EEXIST) return 0;
    if (errno != ENOENT) return errno;
    if (const int cause = make(directory_of_key(directory)); cause != 0) return cause;
    // ENOENT here means that a concurrent remove pruned the parent again: the caller starts over.
    return ::mkdir(path_of(directory).c_str(), 0700) == 0 || errno == EEXIST || errno == ENOENT ? 0 : errno;
}

int DirectoryTree::flush_ancestors(std::string_view directory) {
    while (!directory.empty()) {
        const std::string_view parent = directory_of_key(directory);
        const UniqueFd fd(open_directory(path_of(parent)));
        if (!fd.valid()) return errno;
        // Some file systems cannot flush directories and say so; they keep what they promise without it.
        if (::fsync(fd.get()) != 0 && errno != EINVAL && errno != EBADF) return errno;
        if (is_durable(parent, fd.get())) return 0;
        directory = parent;
    }
    return 0;
}

Result<UniqueFd> DirectoryTree::open_for(std::string_view key) {
    const std::string_view directory = directory_of_key(key);
    int cause = 0;
    for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
        UniqueFd fd(open_directory(path_of(directory)));
        if (fd.valid()) {
            if (is_durable(directory, fd.get())) return fd;
            cause = flush_ancestors(directory);
            if (cause == 0) {
                remember(directory, fd.get());
                return fd;
            }
        } else {
            cause = errno;
            if (cause == ENOENT) cause = make(directory);
            if (cause == 0) continue;
            if (cause == ENOENT) break;  // the root itself is missing
        }
        if (cause != ENOENT && cause != EINTR) break;
    }
    return file_object_error(cause == 0 ? ENOENT : cause, "store", key, root_);
}

void DirectoryTree::prune(std::string_view key) const {
    for (std::string_view directory = directory_of_key(key); !directory.empty(); directory = directory_of_key(directory))
        if (::rmdir(path_of(directory).c_str()) != 0) return;
}

}  // namespace steward
