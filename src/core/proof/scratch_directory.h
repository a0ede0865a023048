// The directory that a drill fills, and that is gone afterwards: also after the next drill, when this one was killed.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/base/file.h"
#include "core/base/result.h"

namespace steward {

/// Name of the scratch directory within the one the operator gives. Short, since a socket's path in it may have 107 bytes.
inline constexpr std::string_view kScratchName = "pg_steward.drill";
/// File in it that says that everything in it is ours. It comes first, goes last, and is locked while a drill runs.
inline constexpr std::string_view kScratchMarker = "THIS_IS_SCRATCH";

/// Owns the scratch directory of one drill. What has no marker is never touched.
class ScratchDirectory {
public:
    /// Make the scratch directory in `parent`, and empty it of what a killed drill has left. Errors: busy when another drill runs there
    /// or a server of an earlier one does still; wrong_state when something else has the name; configuration when `parent` is missing
    /// or its path is too long; by errno.
    static Result<ScratchDirectory> claim(const std::filesystem::path& parent);

    ScratchDirectory(ScratchDirectory&&) noexcept = default;
    /// Removes it, as far as that goes: the next claim does the rest.
    ~ScratchDirectory();

    std::filesystem::path data_directory() const { return path_ / "data"; }
    std::filesystem::path tablespaces() const { return path_ / "tablespaces"; }
    std::filesystem::path socket_directory() const { return path_ / "s"; }
    std::filesystem::path file(std::string_view name) const { return path_ / name; }

    /// Remove the directory with all that is in it. Errors: by errno, naming the path.
    Result<void> remove();

private:
    ScratchDirectory(std::filesystem::path path, UniqueFd marker) : path_(std::move(path)), marker_(std::move(marker)) {}

    Result<void> remove_content() const;

    std::filesystem::path path_;
    UniqueFd marker_;  ///< locked; empty when the directory is gone
};

}  // namespace steward
