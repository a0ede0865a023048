// The directories of a file repository: made when an object needs them, durable before an object relies on them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/file.h"
#include "core/base/result.h"

namespace steward {

/// The directory part of a key: "a/b" of "a/b/c", "" (the root) of "c".
std::string_view directory_of_key(std::string_view key);

/// Creates directories below a root and sees to it that every entry leading to them survives a crash.
///
/// A directory that exists may have been made a moment ago by another process that was killed before it flushed the
/// parent. So the first use of every directory flushes its ancestors, and a directory is remembered by identity (inode and
/// birth time, not name): one that was removed and made again is flushed again. Thread-safe.
class DirectoryTree {
public:
    explicit DirectoryTree(std::filesystem::path root) : root_(std::move(root)) {}

    /// Open the directory that `key` lives in, for adding an entry; make it (mode 0700) where it is missing. On return all
    /// entries that lead to it from the root are durable. Never makes the root. Errors: as file_object_error for `key`.
    Result<UniqueFd> open_for(std::string_view key);

    /// Remove the directory that `key` lived in, and its ancestors below the root, as far as they are empty.
    void prune(std::string_view key) const;

private:
    struct Identity {
        uint64_t device;
        uint64_t inode;
        int64_t born_ns;
        bool operator==(const Identity&) const = default;
    };

    static std::optional<Identity> identity_of(int fd);
    std::filesystem::path path_of(std::string_view directory) const;
    bool is_durable(std::string_view directory, int fd) const;
    void remember(std::string_view directory, int fd);
    /// These return 0 or errno.
    int make(std::string_view directory) const;
    int flush_ancestors(std::string_view directory);

    const std::filesystem::path root_;
    mutable std::mutex mutex_;
    std::map<std::string, Identity, std::less<>> durable_;  // guarded by mutex_
};

}  // namespace steward
