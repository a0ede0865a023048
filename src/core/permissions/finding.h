// What is known of a file's owner and mode, and what is wrong with them.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace steward {

enum class FileType { kMissing, kFile, kDirectory, kLink, kOther };

/// Who owns a file, and its permission bits (07777 of st_mode).
struct FileRights {
    uid_t user = 0;
    gid_t group = 0;
    mode_t mode = 0;

    bool operator==(const FileRights&) const = default;
};

/// One file, as lstat tells it.
struct FileFact {
    std::string path;  ///< absolute, without symbolic links before its last part
    FileType type = FileType::kMissing;
    FileRights rights;
    uint64_t names = 1;  ///< hard links
    dev_t device = 0;
    ino_t inode = 0;
};

/// A user as the kernel sees one who asks for a file.
struct FileUser {
    uid_t user = 0;
    gid_t group = 0;            ///< that files are given to
    std::vector<gid_t> groups;  ///< all of them, `group` included
};

enum class Severity {
    kNote,     ///< nothing is wrong, but nothing was looked at either
    kWarning,  ///< the server works; others get at what is not theirs, or some work fails
    kError,    ///< the server does not start, or cannot read or write what it needs
};

enum class Problem {
    kWrongOwner,
    kTooOpen,
    kNotUsable,   ///< the owner itself cannot do with it what it must
    kWrongGroup,
    kMissing,
    kWrongType,
    kForeign,     ///< neither PostgreSQL's nor pg_steward's, and not named by the configuration
    kNotSearched, ///< links, other file systems, what could not be looked at
};

/// "error", "warning", "note".
const char* to_string(Severity severity);
/// "wrong_owner", "too_open", ...: for scripts.
const char* to_string(Problem problem);

enum class Action {
    kNone,       ///< not ours to change; `cure` says who can
    kChange,     ///< `change` can be made
    kNeedsRoot,  ///< `change` can be made by root
};

/// What is wrong with one file.
struct Finding {
    FileFact file;
    Severity severity = Severity::kError;
    Problem problem = Problem::kWrongOwner;  ///< the worst one
    std::string why = {};                    ///< full sentences
    std::optional<FileRights> change = {};   ///< what is right, where that is known
    Action action = Action::kNone;
    std::string cure = {};                   ///< a full sentence; empty where `action` says all
};

/// Decide whether the process of `user` may make the finding's change: root all, an owner the mode of what is its own. Pure.
void decide_action(Finding& finding, uid_t user);

}  // namespace steward
