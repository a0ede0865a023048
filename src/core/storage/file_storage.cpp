#include "core/storage/file_storage.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "core/base/format.h"
#include "core/storage/file_listing.h"
#include "core/storage/file_object_error.h"
#include "core/storage/file_time.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// How often a concurrent remove may prune the directory between our opening it and adding the entry.
constexpr int kMaxAttempts = 1000;

Error root_error(ErrorCode code, const fs::path& root, std::string_view fault) {
    return Error(code, formatted("could not open repository directory \"{}\": {}", root.native(), fault)).object(root.native());
}

/// Make the root and flush its parent.
Result<void> create_root(const fs::path& root) {
    if (::mkdir(root.c_str(), 0700) == 0) return sync_directory(root.parent_path());
    if (errno == EEXIST) return {};
    if (errno == ENOENT)
        return root_error(ErrorCode::configuration, root, "its parent directory does not exist")
            .hint(formatted("Create \"{}\", or mount what belongs there.", root.parent_path().native()));
    if (errno == EACCES || errno == EPERM || errno == EROFS)
        return root_error(ErrorCode::permission_denied, root,
                          formatted("it does not exist and could not be created: {}", std::strerror(errno)))
            .hint("Create it and give it to the operating system user that runs the server.");
    return Error::from_errno(errno, formatted("could not create repository directory \"{}\"", root.native()))
        .object(root.native());
}

/// Say what stat() of the root failed with.
Error missing_root(int cause, const fs::path& root) {
    if (cause == ENOENT)
        return root_error(ErrorCode::configuration, root, "it does not exist")
            .hint("Create it and give it to the operating system user that runs the server, or mount what belongs there.");
    if (cause == ENOTDIR)
        return root_error(ErrorCode::configuration, root, "part of its path is not a directory")
            .hint("Correct the repository URL.");
    if (cause == EACCES)
        return root_error(ErrorCode::permission_denied, root, std::strerror(cause))
            .hint("Let the operating system user that runs the server search the directories above it.");
    return Error::from_errno(cause, formatted("could not open repository directory \"{}\"", root.native()))
        .object(root.native());
}

Result<void> check_access(const fs::path& root, StorageAccess access) {
    const int mode = access == StorageAccess::kReadWrite ? R_OK | W_OK | X_OK : R_OK | X_OK;
    if (::faccessat(AT_FDCWD, root.c_str(), mode, AT_EACCESS) == 0) return {};
    const int cause = errno;
    return root_error(ErrorCode::permission_denied, root, std::strerror(cause))
        .hint(cause == EROFS ? "Mount its file system for writing."
                             : "Give it to the operating system user that runs the server, with mode 0700.");
}

}  // namespace

Result<std::unique_ptr<Storage>> FileStorage::open(const fs::path& root, const FileStorageOptions& options) {
    if (!root.is_absolute())
        return root_error(ErrorCode::configuration, root, "it is not an absolute path")
            .hint("Write the path from the root, as in \"/srv/pg\".");
    if (options.create) TRY(create_root(root));
    struct stat st;
    if (::stat(root.c_str(), &st) != 0) return missing_root(errno, root);
    if (!S_ISDIR(st.st_mode))
        return root_error(ErrorCode::configuration, root, "it is not a directory").hint("Correct the repository URL.");
    TRY(check_access(root, options.access));
    return std::unique_ptr<Storage>(new FileStorage(root, st.st_ino, options.no_replace));
}

std::string FileStorage::url() const { return file_url(root_); }

Result<void> FileStorage::check_root(std::string_view key) const {
    struct stat st;
    // Only the inode is compared: the device number of a network file system changes with every mount.
    if (::stat(root_.c_str(), &st) == 0 && st.st_ino == root_inode_) return {};
    return Error(ErrorCode::io_error,
                 formatted("repository directory \"{}\" is not the directory that was opened", root_.native()))
        .object(std::string(key))
        .hint("Check whether its file system is mounted.");
}

Result<void> FileStorage::flush_entry(int directory, std::string_view verb, std::string_view key) const {
    // Some file systems cannot flush directories and say so; they keep what they promise without it.
    if (::fsync(directory) == 0 || errno == EINVAL || errno == EBADF) return {};
    return file_object_error(errno, verb, key, root_);
}

Result<PutOutcome> FileStorage::put(std::string_view key, std::span<const ByteView> parts, PutMode mode) {
    TRY(check_key(key));
    TRY(check_root(key));
    const std::string name = fs::path(key).filename();
    const fs::path path = root_ / key;
    struct stat st;
    if (mode == PutMode::kIfAbsent && ::stat(path.c_str(), &st) == 0 && S_ISREG(st.st_mode)) {
        // Whoever made the object may have been killed before it was flushed, and our caller will rely on it.
        TRY_ASSIGN(const UniqueFd directory, directories_.open_for(key));
        TRY(flush_entry(directory.get(), "store", key));
        return PutOutcome::kAlreadyExists;
    }
    TRY_ASSIGN(FileUpload upload, FileUpload::create(root_, key));
    TRY(upload.write(parts));
    for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
        TRY_ASSIGN(const UniqueFd directory, directories_.open_for(key));
        TRY_ASSIGN(const std::optional<PutOutcome> outcome, upload.publish(directory.get(), name.c_str(), mode, no_replace_));
        if (!outcome) continue;
        TRY(flush_entry(directory.get(), "store", key));
        return *outcome;
    }
    return file_object_error(ENOENT, "store", key, root_);
}

Result<Bytes> FileStorage::read(std::string_view key, uint64_t offset, uint64_t length) {
    TRY(check_key(key));
    const fs::path path = root_ / key;
    // O_NONBLOCK has no effect on files, and keeps a named pipe that someone put there from holding us for ever.
    const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
    struct stat st;
    if (!fd.valid() || ::fstat(fd.get(), &st) != 0) {
        const int cause = errno;
        if (cause != ENOENT) return file_object_error(cause, "read", key, root_);
        TRY(check_root(key));
        return object_not_found(key, url());
    }
    if (S_ISDIR(st.st_mode)) return object_not_found(key, url());
    if (!S_ISREG(st.st_mode)) return file_object_error(EISDIR, "read", key, root_);

    const auto size = static_cast<uint64_t>(st.st_size);
    const uint64_t begin = std::min(offset, size);
    Bytes content(static_cast<size_t>(std::min(length, size - begin)));
    auto done = read_at(fd.get(), begin, content, path);
    if (!done.ok()) return std::move(done).error().object(std::string(key));
    content.resize(*done);
    return content;
}

Result<std::optional<ObjectInfo>> FileStorage::stat(std::string_view key) {
    TRY(check_key(key));
    struct stat st;
    if (::stat((root_ / key).c_str(), &st) != 0) {
        const int cause = errno;
        if (cause != ENOENT) return file_object_error(cause, "stat", key, root_);
        TRY(check_root(key));
        return std::optional<ObjectInfo>();
    }
    if (S_ISDIR(st.st_mode)) return std::optional<ObjectInfo>();
    if (!S_ISREG(st.st_mode)) return file_object_error(EISDIR, "stat", key, root_);
    return std::optional(ObjectInfo{std::string(key), static_cast<uint64_t>(st.st_size), modification_time(st)});
}

Result<ListPage> FileStorage::list(std::string_view prefix, std::string_view page, size_t limit) {
    TRY(check_list_limit(limit));
    TRY(check_root(prefix));
    return list_files(root_, prefix, page, limit);
}

Result<void> FileStorage::remove(std::string_view key) {
    TRY(check_key(key));
    const fs::path path = root_ / key;
    const UniqueFd directory(::open(path.parent_path().c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!directory.valid()) {
        if (errno != ENOENT) return file_object_error(errno, "remove", key, root_);
        return check_root(key);
    }
    // EISDIR, or EPERM as POSIX has it: a directory is no object.
    if (::unlinkat(directory.get(), path.filename().c_str(), 0) != 0 && errno != ENOENT) {
        const int cause = errno;
        struct stat st;
        const bool is_directory = ::fstatat(directory.get(), path.filename().c_str(), &st, 0) == 0 && S_ISDIR(st.st_mode);
        if (!is_directory) return file_object_error(cause, "remove", key, root_);
    }
    // Also when there was nothing: an earlier remove may have been killed before its flush.
    TRY(flush_entry(directory.get(), "remove", key));
    directories_.prune(key);
    return {};
}

Result<void> FileStorage::remove_stale_uploads(TimePoint older_than) {
    TRY(check_root(kTemporarySegment));
    const fs::path directory = root_ / kTemporarySegment;
    const auto close = [](DIR* stream) { ::closedir(stream); };
    const std::unique_ptr<DIR, decltype(close)> stream(::opendir(directory.c_str()), close);
    if (!stream) {
        if (errno == ENOENT) return {};
        return file_object_error(errno, "list", kTemporarySegment, root_);
    }
    for (;;) {
        errno = 0;
        const dirent* entry = ::readdir(stream.get());
        if (entry == nullptr) break;
        struct stat st;
        if (::fstatat(::dirfd(stream.get()), entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode)) continue;
        if (modification_time(st) >= older_than) continue;
        if (::unlinkat(::dirfd(stream.get()), entry->d_name, 0) != 0 && errno != ENOENT)
            return file_object_error(errno, "remove", (fs::path(kTemporarySegment) / entry->d_name).native(), root_);
    }
    if (errno != 0) return file_object_error(errno, "list", kTemporarySegment, root_);
    return {};
}

std::string file_url(const fs::path& path) {
    constexpr std::string_view kPlain = "/-._~!$&'()*+;=:@";  // RFC 3986's pchar and the slash, without the comma
    std::string url = "file://";
    for (const char c : path.native()) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
                           kPlain.find(c) != std::string_view::npos;
        if (plain) {
            url += c;
        } else {
            url += formatted("%{:02X}", static_cast<unsigned char>(c));
        }
    }
    return url;
}

}  // namespace steward
