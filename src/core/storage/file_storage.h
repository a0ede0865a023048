// The driver for a directory of this host: local disks, and what is mounted.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/storage/directory_tree.h"
#include "core/storage/file_upload.h"
#include "core/storage/storage.h"

namespace steward {

/// What the opener means to do; what it lacks the rights for is told by `open` and not by the first put at night.
enum class StorageAccess {
    kReadWrite,
    kReadOnly,  ///< also from a read-only mount; puts and removes fail as the file system says
};

struct FileStorageOptions {
    bool create = false;  ///< make the root, mode 0700, if only it and not its parent is missing
    StorageAccess access = StorageAccess::kReadWrite;
    NoReplace no_replace = NoReplace::kRename;
};

/// Keeps every object in a file of its own, at the key below the root.
///
/// put: the content goes to a file in <root>/.pg_steward.tmp, is flushed, and becomes the key's entry in one step; then the
/// directory that got the entry is flushed, after everything that leads to it. Directories come and go with their objects,
/// mode 0700, files 0600. Symbolic links inside the tree are followed: operators mount and link parts elsewhere, though a
/// part on another file system cannot be written (entries cannot be moved there). Keys cannot leave the tree.
class FileStorage final : public Storage {
public:
    /// Open the repository in `root`, an absolute path. With `create` the new directory is durable on return. Errors:
    /// configuration when there is no such directory or it is something else, permission_denied; both with a hint.
    static Result<std::unique_ptr<Storage>> open(const std::filesystem::path& root, const FileStorageOptions& options = {});

    StorageCapabilities capabilities() const override { return {.atomic_if_absent = true, .durable = true}; }
    std::string url() const override;
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override;
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override;
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override;
    Result<ListPage> list(std::string_view prefix, std::string_view page = {}, size_t limit = kMaxListLimit) override;
    Result<void> remove(std::string_view key) override;
    Result<void> remove_stale_uploads(TimePoint older_than) override;

private:
    FileStorage(std::filesystem::path root, ino_t root_inode, NoReplace no_replace)
        : root_(std::move(root)), root_inode_(root_inode), no_replace_(no_replace), directories_(root_) {}

    /// Tell whether the root is still the directory that was opened. When a repository's file system is unmounted, the
    /// empty mount point answers in its place: "not found" would be a lie and a put would fill the wrong disk.
    Result<void> check_root(std::string_view key) const;
    Result<void> flush_entry(int directory, std::string_view verb, std::string_view key) const;

    const std::filesystem::path root_;
    const ino_t root_inode_;
    const NoReplace no_replace_;
    DirectoryTree directories_;
};

/// Return "file:///srv/pg" for "/srv/pg", with percent-encoding where RFC 3986 asks for it, and of commas, which separate URLs.
std::string file_url(const std::filesystem::path& path);

}  // namespace steward
