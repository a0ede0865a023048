// One object on its way into a file repository: written aside, flushed, then published in one step.
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/storage/storage.h"

namespace steward {

/// How an entry is made that must not replace another. Both ways are one step of the file system, so of several writers
/// exactly one wins.
enum class NoReplace {
    kRename,  ///< renameat2(RENAME_NOREPLACE); where the file system does not know it (NFS, older FUSE), a hard link
    kLink,    ///< always a hard link; for tests of that way
};

/// A temporary file, removed when this goes unless it was published.
class FileUpload {
public:
    /// Create a file of an unpredictable name in `root`'s directory for temporary files, which is made where it is missing.
    /// `key` is the object to be; it and all errors are as for Storage::put.
    static Result<FileUpload> create(const std::filesystem::path& root, std::string_view key);

    FileUpload(FileUpload&& other) noexcept;
    FileUpload& operator=(FileUpload&&) = delete;
    ~FileUpload();

    /// Write the parts one after another and flush them: on return the content, though not its name, survives a crash.
    Result<void> write(std::span<const ByteView> parts);

    /// Make the file the entry `name` of `directory`, which must be the key's. Nothing is returned when the directory has
    /// been removed: open it again and repeat. The caller flushes the directory.
    Result<std::optional<PutOutcome>> publish(int directory, const char* name, PutMode mode, NoReplace way);

private:
    FileUpload(const std::filesystem::path& root, std::string_view key, std::filesystem::path path, UniqueFd fd)
        : root_(root), key_(key), path_(std::move(path)), fd_(std::move(fd)) {}

    Error error(int errno_value) const;
    /// Return 0 or errno, EEXIST when the name is taken.
    int add_entry(int directory, const char* name, NoReplace way);

    std::filesystem::path root_;
    std::string key_;
    std::filesystem::path path_;  // empty once published
    UniqueFd fd_;
};

}  // namespace steward
