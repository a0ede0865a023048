// Looking at owners and modes, and changing them, without being led elsewhere by symbolic links.
#pragma once

#include <sys/stat.h>

#include <filesystem>
#include <string>
#include <string_view>

#include "core/base/file.h"
#include "core/base/result.h"
#include "core/permissions/access.h"
#include "core/permissions/change_list.h"
#include "core/permissions/finding.h"

namespace steward {

FileFact file_fact(std::string path, const struct stat& st);

/// Look at an absolute path as the server would get there: links are followed. Never fails: what cannot be looked at is said in the facts.
PathFacts look_at_path(const std::filesystem::path& path);

/// Open an absolute path of a file or directory with O_PATH, part by part, none of which may be a symbolic link. Errors: not_found; by errno.
Result<UniqueFd> open_without_links(const std::filesystem::path& path);

enum class ChangeOutcome {
    kDone,
    kNothing,  ///< it is so already
    kSkipped,  ///< gone, or not any more what was looked at
};

/// Changes rights of files, one after the other. Keeps the last directory open: files of one directory mostly come together.
class RightsChanger {
public:
    /// Change owner, then mode, of exactly the inode that was looked at, reached without symbolic links and under no other name; otherwise
    /// skip it. Nothing is flushed: what a crash of the machine takes back is found again. Errors: by errno, with a hint.
    Result<ChangeOutcome> change(const RightsChange& change);

private:
    Result<void> enter(const std::filesystem::path& directory);

    std::filesystem::path directory_;
    UniqueFd fd_;
};

}  // namespace steward
