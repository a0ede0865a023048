// The rules for directories that a restore fills: never mix with what is there unasked, never touch a running server's files.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace steward {

/// In the data directory while a restore is under way: a line of JSON that says which. It goes last.
inline constexpr std::string_view kRestoreMarker = "pg_steward.restore";

/// Who owns what a restore writes.
struct FileOwner {
    uid_t user = 0;
    gid_t group = 0;

    bool operator==(const FileOwner&) const = default;
};

enum class DirectoryContent {
    kMissing,
    kEmpty,        ///< nothing but perhaps "lost+found"
    kInterrupted,  ///< of a restore that did not finish: there is our marker, and no global/pg_control
    kOther,
};

/// What is known of a directory before anything is changed.
struct DirectoryFacts {
    std::filesystem::path path;  ///< absolute, symbolic links resolved
    DirectoryContent content = DirectoryContent::kMissing;
    bool mount_point = false;    ///< cannot be renamed
    std::optional<FileOwner> owner;                              ///< of the directory, when it exists
    std::optional<pid_t> server;                                 ///< a PostgreSQL process that works in it
    std::optional<uint64_t> system_identifier;                   ///< of the cluster in it, where a whole control file says
    std::vector<std::filesystem::path> interrupted_tablespaces;  ///< kInterrupted: those the earlier restore was filling
    std::vector<std::filesystem::path> tablespaces;              ///< where its pg_tblspc links to
};

/// Whether a file system or another directory is mounted at `path`: it cannot be renamed. False when it is not there.
bool is_mount_point(const std::filesystem::path& path);

/// Look at `path`, an absolute one. Errors: invalid_argument when it is relative or no directory; by errno.
Result<DirectoryFacts> inspect_directory(const std::filesystem::path& path);

/// Find a PostgreSQL process whose working directory is `directory`: every process of a server has its data directory as that,
/// also those that outlive a killed postmaster. Reads /proc; where that is not allowed to tell, a live process named by
/// postmaster.pid counts.
std::optional<pid_t> find_running_server(const std::filesystem::path& directory);

enum class ExistingContent { kRefuse, kPreserve, kCompare };
enum class DirectoryRole { kData, kTablespace };

enum class DirectoryAction {
    kCreate,
    kUse,        ///< it is there and empty
    kCompare,    ///< keep what is right in it, whoever wrote it
    kMoveAside,  ///< rename it and make a new one
};

struct DirectoryPlan {
    std::filesystem::path path;
    DirectoryAction action = DirectoryAction::kCreate;
    std::filesystem::path aside;  ///< kMoveAside: the new name of what is there
};

/// Decide what happens to the directory. Pure. `time_suffix` is compact_time of now. Errors: busy when a server runs in it;
/// wrong_state when it is not empty and `existing` has no way for it, or it cannot be renamed. What an interrupted restore left is
/// always gone on with.
Result<DirectoryPlan> decide_directory(const DirectoryFacts& facts, DirectoryRole role, ExistingContent existing, const std::string& time_suffix);

/// Check that what a restore is to write over is the cluster with this identifier. Pure. Errors: wrong_state when it is not, or cannot be
/// told.
Result<void> check_same_cluster(const DirectoryFacts& facts, uint64_t system_identifier);

/// Decide who owns the restored files. Pure. Only root can and must give files away: PostgreSQL's own user is `asked`, else
/// the owner of the directory that exists. Nothing means: nobody needs to be changed. Errors: usage, with a hint.
Result<std::optional<FileOwner>> decide_owner(const DirectoryFacts& facts, bool is_root, std::optional<FileOwner> asked);

/// Make the directory ready to be filled. Durable on return. Errors: by errno, naming the path.
Result<void> prepare_directory(const DirectoryPlan& plan, mode_t mode, std::optional<FileOwner> owner);

/// Point the tablespace links of a data directory that was moved aside to where its tablespaces were moved: otherwise a start of the
/// old cluster would write into the new one's files. Errors: by errno.
Result<void> follow_moved_tablespace(const std::filesystem::path& old_data_directory, const DirectoryPlan& tablespace);

}  // namespace steward
