// The list of changes that a fix makes, kept so that they can be taken back.
//
// Text: a first line "pg_steward permissions 1", then a line for each change: user, group and mode (octal) before, the same after, device,
// inode, and the path, in which a backslash, a newline and a carriage return are written as \\, \n and \r.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/permissions/finding.h"

namespace steward {

inline constexpr std::string_view kChangeListHeader = "pg_steward permissions 1";

/// New rights of one file.
struct RightsChange {
    std::string path;  ///< absolute, no symbolic link in it
    FileRights before;
    FileRights after;
    dev_t device = 0;
    ino_t inode = 0;

    /// The change that takes this one back.
    RightsChange reversed() const { return {path, after, before, device, inode}; }
    /// Whether a file of these rights is one before the change, after it, or between: the owner is changed before the mode.
    bool fits(const FileRights& rights) const;

    bool operator==(const RightsChange&) const = default;
};

/// The change that a finding with one asks for.
RightsChange change_of(const Finding& finding);

/// One line, with its newline.
std::string render_change(const RightsChange& change);

/// Parse a line without its newline. Errors: corrupt_object.
Result<RightsChange> parse_change(std::string_view line);

}  // namespace steward
