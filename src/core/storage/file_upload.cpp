#include "core/storage/file_upload.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <utility>

#include "core/base/format.h"
#include "core/storage/file_object_error.h"
#include "core/storage/file_write.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// How often a pruned directory standing in the way of an object is removed before giving up.
constexpr int kMaxAttempts = 100;

/// "1234.5f0c6a....7": pid, random, counter. The random part keeps hosts apart that share the directory, where pids repeat.
std::string temporary_name() {
    static std::atomic<unsigned> counter{0};
    uint64_t random = 0;
    // Without entropy (only early at boot) O_EXCL still keeps two uploads from sharing a file.
    static_cast<void>(::getrandom(&random, sizeof random, GRND_NONBLOCK));
    return formatted("{}.{:016x}.{}", ::getpid(), random, counter++);
}

bool knows_no_such_rename(int cause) { return cause == EINVAL || cause == ENOSYS || cause == EOPNOTSUPP; }

}  // namespace

Result<FileUpload> FileUpload::create(const fs::path& root, std::string_view key) {
    const fs::path directory = root / kTemporarySegment;
    for (bool made = false;;) {
        fs::path path = directory / temporary_name();
        UniqueFd fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
        if (fd.valid()) return FileUpload(root, key, std::move(path), std::move(fd));
        if (errno == EINTR || errno == EEXIST) continue;
        if (errno != ENOENT || made) return file_object_error(errno, "store", key, root);
        // Not flushed: a crash that loses this directory loses nothing with it.
        if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return file_object_error(errno, "store", key, root);
        made = true;
    }
}

FileUpload::FileUpload(FileUpload&& other) noexcept
    : root_(std::move(other.root_)),
      key_(std::move(other.key_)),
      path_(std::exchange(other.path_, {})),
      fd_(std::move(other.fd_)) {}

FileUpload::~FileUpload() {
    if (!path_.empty()) ::unlink(path_.c_str());
}

Error FileUpload::error(int errno_value) const { return file_object_error(errno_value, "store", key_, root_); }

Result<void> FileUpload::write(std::span<const ByteView> parts) {
    if (const int cause = write_durably(fd_.get(), parts); cause != 0) return error(cause);
    return {};
}

int FileUpload::add_entry(int directory, const char* name, NoReplace way) {
    if (way == NoReplace::kRename) {
        if (::renameat2(AT_FDCWD, path_.c_str(), directory, name, RENAME_NOREPLACE) == 0) {
            path_.clear();
            return 0;
        }
        if (!knows_no_such_rename(errno)) return errno;
    }
    if (::linkat(AT_FDCWD, path_.c_str(), directory, name, 0) != 0) {
        const int cause = errno;
        // Over NFS a repeated request reports EEXIST although the first one made the link; the link count tells.
        struct stat st;
        if (cause != EEXIST || ::fstat(fd_.get(), &st) != 0 || st.st_nlink != 2) return cause;
    }
    ::unlink(std::exchange(path_, {}).c_str());
    return 0;
}

Result<std::optional<PutOutcome>> FileUpload::publish(int directory, const char* name, PutMode mode, NoReplace way) {
    for (int attempt = 0; attempt < kMaxAttempts; ++attempt) {
        int cause = add_entry(directory, name, way);
        if (cause == 0) return std::optional(PutOutcome::kCreated);
        struct stat st;
        if (cause == EEXIST && ::fstatat(directory, name, &st, 0) == 0 && S_ISDIR(st.st_mode)) {
            // A crash can leave directories without objects. One that holds objects stays.
            if (::unlinkat(directory, name, AT_REMOVEDIR) == 0 || errno == ENOENT) continue;
            return error(EISDIR);
        }
        if (cause == EEXIST) {
            if (mode == PutMode::kIfAbsent) return std::optional(PutOutcome::kAlreadyExists);
            if (::renameat(AT_FDCWD, path_.c_str(), directory, name) == 0) {
                path_.clear();
                return std::optional(PutOutcome::kReplaced);
            }
            cause = errno;
            if (cause == EISDIR) continue;
        }
        if (cause == EINTR) continue;
        if (cause != ENOENT) return error(cause);
        // Either the directory or the temporary file is gone.
        if (::fstat(fd_.get(), &st) == 0 && st.st_nlink == 0)
            return error(ENOENT).detail("The temporary file was removed while it was being written.");
        return std::optional<PutOutcome>();
    }
    return error(EISDIR);
}

}  // namespace steward
