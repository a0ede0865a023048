// A directory that a drill or a rehearsal fills, and that is gone afterwards: also after the next one, when this one was killed.
#pragma once

#include <filesystem>
#include <string_view>

#include "core/base/file.h"
#include "core/base/result.h"

namespace steward {

/// Name of a drill's scratch directory within the one the operator gives. Short, since a socket's path in it may have 107 bytes.
inline constexpr std::string_view kScratchName = "pg_steward.drill";
/// File in it that says that everything in it is ours. It comes first, goes last, and is locked as long as somebody works there.
inline constexpr std::string_view kScratchMarker = "THIS_IS_SCRATCH";

/// What a scratch directory is for, in the words of its errors.
struct ScratchUse {
    std::string_view work;            ///< "drill"
    std::string_view hint_when_busy;  ///< a full sentence
    std::string_view another;         ///< "set \"steward.drill_directory\" to another directory"
};

/// Owns a scratch directory. What has no marker is never touched.
class ScratchDirectory {
public:
    /// Make the scratch directory in `parent`, and empty it of what a killed drill has left. Errors: busy when another drill runs there
    /// or a server of an earlier one does still; wrong_state when something else has the name; configuration when `parent` is missing
    /// or its path is too long; by errno.
    static Result<ScratchDirectory> claim(const std::filesystem::path& parent);

    /// Make the scratch directory `path`, or take over the one that is there with all that is in it. Errors: busy when it is in use;
    /// wrong_state when something else has the name; by errno.
    static Result<ScratchDirectory> take(const std::filesystem::path& path, const ScratchUse& use);

    ScratchDirectory(ScratchDirectory&&) noexcept = default;
    /// Removes it, as far as that goes, unless it was left: the next claim does the rest.
    ~ScratchDirectory();

    const std::filesystem::path& path() const { return path_; }

    std::filesystem::path data_directory() const { return path_ / "data"; }
    std::filesystem::path tablespaces() const { return path_ / "tablespaces"; }
    std::filesystem::path socket_directory() const { return path_ / "s"; }
    std::filesystem::path file(std::string_view name) const { return path_ / name; }

    /// Remove the directory with all that is in it. Errors: by errno, naming the path.
    Result<void> remove();
    /// Remove what is in it, but for the entry called `kept`. Errors: by errno, naming the path.
    Result<void> remove_content(std::string_view kept = {}) const;
    /// Let go of it with what is in it now. The next claim removes that.
    void leave() { marker_.reset(); }

private:
    ScratchDirectory(std::filesystem::path path, UniqueFd marker) : path_(std::move(path)), marker_(std::move(marker)) {}

    std::filesystem::path path_;
    UniqueFd marker_;  ///< locked; empty when the directory is gone or left
};

}  // namespace steward
