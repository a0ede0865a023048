// Files and descriptors of the operating system, with errors as values and durability said in words.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <string>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace steward {

/// Owns a file descriptor; closes it when it goes.
class UniqueFd {
public:
    UniqueFd() = default;
    explicit UniqueFd(int fd) : fd_(fd) {}
    UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    UniqueFd& operator=(UniqueFd&& other) noexcept {
        if (this != &other) {
            reset();
            fd_ = std::exchange(other.fd_, -1);
        }
        return *this;
    }
    ~UniqueFd() { reset(); }

    int get() const { return fd_; }
    bool valid() const { return fd_ >= 0; }
    int release() { return std::exchange(fd_, -1); }
    void reset();

private:
    int fd_ = -1;
};

/// Open `path` with open(2)'s `flags` (O_CLOEXEC is added) and, when it creates, `mode`. Errors: by errno, naming the path.
Result<UniqueFd> open_file(const std::filesystem::path& path, int flags, mode_t mode = 0600);

/// Read up to `into.size()` bytes at `offset`; fewer only at the end of the file. `path` is for the message.
Result<size_t> read_at(int fd, uint64_t offset, MutableByteView into, const std::filesystem::path& path);

/// Write all of `bytes` at `offset`.
Result<void> write_at(int fd, uint64_t offset, ByteView bytes, const std::filesystem::path& path);

/// Append all of `bytes` at the descriptor's position.
Result<void> write_all(int fd, ByteView bytes, const std::filesystem::path& path);

/// Flush the file's data and metadata. An error means the data may be lost and cannot be retried on this descriptor
/// (Linux drops dirty pages after reporting): write the file again.
Result<void> sync_file(int fd, const std::filesystem::path& path);

/// Flush a directory, making created, renamed and removed entries durable.
Result<void> sync_directory(const std::filesystem::path& directory);

/// Read a whole file of at most `limit` bytes. Errors: by errno; io_error when it is larger.
Result<Bytes> read_file(const std::filesystem::path& path, uint64_t limit = uint64_t{1} << 31);

/// Replace `path` by a file with this content: temporary sibling, sync, rename, sync of the directory. On return the
/// content survives a crash; at no moment is the path missing or half-written. Errors: by errno.
Result<void> write_file_durably(const std::filesystem::path& path, ByteView content, mode_t mode = 0600);

/// Create `directory` and its missing parents with `mode`, each made durable in its parent. Existing ones are fine.
Result<void> create_directories_durably(const std::filesystem::path& directory, mode_t mode = 0700);

}  // namespace steward
