// The file that holds the changes of a fix: written and flushed before the first one is made, and read to take them back.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/permissions/change_list.h"

namespace steward {

/// A new list. The file is made with the first change, so that nothing to do leaves nothing behind.
class ChangeFile {
public:
    explicit ChangeFile(std::filesystem::path path) : path_(std::move(path)) {}

    /// Errors: by errno, with a hint; already_exists.
    Result<void> add(const RightsChange& change);

    /// Make all that was added durable. Errors: by errno.
    Result<void> sync();

    /// Hand every change since the last call to `take`, from the file: they may be more than memory should hold. Call sync before.
    Result<void> for_each_new(const std::function<Result<void>(const RightsChange&)>& take);

    bool exists() const { return fd_.valid(); }
    bool has_new() const { return has_new_; }
    const std::filesystem::path& path() const { return path_; }

private:
    Result<void> create();
    Result<void> flush();

    std::filesystem::path path_;
    UniqueFd fd_;
    std::string pending_;
    uint64_t size_ = 0;
    uint64_t handed_out_ = 0;
    bool has_new_ = false;
};

/// Read the list of an earlier fix, in its order. Whoever can write it decides what root changes, so it must be this user's alone. A last line
/// without an end was never acted on and is left out. Errors: by errno; permission_denied; corrupt_object.
Result<std::vector<RightsChange>> read_change_file(const std::filesystem::path& path);

}  // namespace steward
