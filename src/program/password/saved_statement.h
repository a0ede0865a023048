// The file that takes the statement which brings an old password back.
#pragma once

#include <filesystem>
#include <string>
#include <utility>

#include "core/base/file.h"
#include "core/base/result.h"

namespace steward {

/// A file that takes the way back. Opened before root becomes somebody else.
class SavedStatement {
public:
    /// Errors: by errno; already_exists when it has content.
    static Result<SavedStatement> open(const std::filesystem::path& path);
    SavedStatement(SavedStatement&&) = default;
    /// An empty one is of no use. Where it cannot be removed any more, the next run takes it.
    ~SavedStatement();

    /// Durable on return. Errors: by errno.
    Result<void> write(const std::string& statement);
    const std::filesystem::path& path() const { return path_; }

private:
    SavedStatement(UniqueFd fd, std::filesystem::path path) : fd_(std::move(fd)), path_(std::move(path)) {}

    UniqueFd fd_;
    std::filesystem::path path_;
    bool written_ = false;
};

}  // namespace steward
