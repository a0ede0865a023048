#include "core/permissions/access.h"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

#include "core/base/format.h"

namespace steward {

namespace {

bool is_directory_rule(AccessRule rule) {
    return rule != AccessRule::kReadable && rule != AccessRule::kPrivateKey && rule != AccessRule::kSecret;
}

unsigned needed_by(AccessRule rule) {
    switch (rule) {
        case AccessRule::kReadable:
        case AccessRule::kPrivateKey:
        case AccessRule::kSecret: return kRead;
        case AccessRule::kReadableDirectory: return kRead | kSearch;
        case AccessRule::kWritableDirectory:
        case AccessRule::kSocketDirectory: return kWrite | kSearch;
        case AccessRule::kRepository: return kRead | kWrite | kSearch;
    }
    return 0;
}

/// Bits that a file must not have by the rule.
mode_t excess_of(AccessRule rule, const FileFact& file) {
    switch (rule) {
        case AccessRule::kPrivateKey: return file.rights.mode & (file.rights.user == 0 ? 0037 : 0077);
        case AccessRule::kSecret: return file.rights.mode & 0077;
        case AccessRule::kRepository: return file.rights.mode & 0007;
        case AccessRule::kReadable:
        case AccessRule::kReadableDirectory:
        case AccessRule::kWritableDirectory: return file.rights.mode & 0002;
        case AccessRule::kSocketDirectory: return 0;
    }
    return 0;
}

std::string_view describe_excess(AccessRule rule) {
    switch (rule) {
        case AccessRule::kPrivateKey: return "The server does not load a key that others can get at, or the group when it is not root's.";
        case AccessRule::kSecret: return "Others than the owner can get at the secret in it.";
        case AccessRule::kRepository: return "Others can look into the repository, which holds the whole cluster.";
        default: return "Everybody can write it.";
    }
}

Finding make_finding(const AccessCase& access, Problem problem, Severity severity, std::string_view why) {
    const std::string_view what = is_directory_rule(access.rule) ? "The directory" : "The file";
    return {.file = access.path.file, .severity = severity, .problem = problem, .why = formatted("{} (named by {}) {}", what, access.setting, why)};
}

std::optional<Finding> judge_absence(const AccessCase& access) {
    const int problem = access.path.problem;
    if (problem == ENOENT && access.may_be_missing) return std::nullopt;
    Finding finding = make_finding(access, problem == ENOENT ? Problem::kMissing : Problem::kNotSearched, access.severity,
                                   problem == ENOENT ? "does not exist." : formatted("could not be looked at: {}.", std::generic_category().message(problem)));
    finding.file.path = access.path.path;
    finding.cure = formatted("Make it, or change {}.", access.setting);
    if (problem != ENOENT) finding.cure = "Run this as root.";
    return finding;
}

/// Nothing when it is not ours to change.
std::optional<FileRights> changed(const AccessCase& access, const FileUser& owner, mode_t mode) {
    const FileFact& file = access.path.file;
    if (file.names > 1 && file.type == FileType::kFile) return std::nullopt;
    if (access.inside) return FileRights{owner.user, file.rights.user == owner.user ? file.rights.group : owner.group, mode};
    if (file.rights.user != owner.user) return std::nullopt;
    return FileRights{file.rights.user, file.rights.group, mode};
}

}  // namespace

bool may_access(const FileUser& who, const FileFact& file, unsigned wanted) {
    if (who.user == 0) return true;
    unsigned shift = 0;
    if (file.rights.user == who.user)
        shift = 6;
    else if (std::ranges::find(who.groups, file.rights.group) != who.groups.end())
        shift = 3;
    return ((file.rights.mode >> shift) & wanted) == wanted;
}

std::optional<Finding> judge_way(const PathFacts& path, const FileUser& who, std::string_view what) {
    for (const FileFact& directory : path.directories) {
        if (may_access(who, directory, kSearch)) continue;
        Finding finding{.file = directory, .severity = Severity::kError, .problem = Problem::kNotUsable};
        finding.why = formatted("The cluster's owner cannot search it and so does not get to {} \"{}\".", what, path.path);
        if (directory.rights.user == who.user)
            finding.change = FileRights{directory.rights.user, directory.rights.group, directory.rights.mode | 0100};
        else
            finding.cure = "Let the owner search it, for example with \"chmod o+x\".";
        return finding;
    }
    return std::nullopt;
}

std::optional<Finding> judge_access(const AccessCase& access, const FileUser& owner) {
    if (auto way = judge_way(access.path, owner, access.setting)) {
        way->severity = access.severity;
        return way;
    }
    const FileFact& file = access.path.file;
    if (file.type == FileType::kMissing) return judge_absence(access);
    const bool is_directory = is_directory_rule(access.rule);
    if ((file.type == FileType::kDirectory) != is_directory || (access.rule == AccessRule::kPrivateKey && file.type != FileType::kFile)) {
        Finding finding = make_finding(access, Problem::kWrongType, access.severity, is_directory ? "is not a directory." : "is not a file.");
        finding.cure = formatted("Change {}.", access.setting);
        return finding;
    }

    const mode_t excess = excess_of(access.rule, file);
    const unsigned needed = needed_by(access.rule);
    const bool usable = may_access(owner, file, needed);
    const bool somebodys_key = access.rule == AccessRule::kPrivateKey && file.rights.user != 0 && file.rights.user != owner.user;
    std::optional<Finding> finding;
    if (somebodys_key)
        finding = make_finding(access, Problem::kWrongOwner, access.severity, "is a key, and the server loads only its own user's or root's.");
    else if (!usable)
        finding = make_finding(access, Problem::kNotUsable, access.severity,
                               is_directory ? "cannot be used by the cluster's owner." : "cannot be read by the cluster's owner.");
    else if (excess != 0)
        finding = make_finding(access, Problem::kTooOpen, access.rule == AccessRule::kPrivateKey ? access.severity : Severity::kWarning,
                               formatted("is too open. {}", describe_excess(access.rule)));
    else if (access.rule == AccessRule::kSocketDirectory && (file.rights.mode & 01002) == 0002)
        finding = make_finding(access, Problem::kTooOpen, Severity::kWarning,
                               "is writable by everybody and has no sticky bit: anybody can replace the server's socket.");
    if (!finding) return std::nullopt;
    mode_t mode = (file.rights.mode & ~excess) | (needed << 6);
    if (access.inside && !usable && !is_directory) mode |= 0600;  // as initdb makes it
    if (access.rule == AccessRule::kPrivateKey || access.rule == AccessRule::kSecret) mode &= ~mode_t{0077};
    if (access.rule == AccessRule::kSocketDirectory && (mode & 0002) != 0) mode |= 01000;
    finding->change = changed(access, owner, mode);
    if (!finding->change) {
        finding->cure = file.names > 1 && file.type == FileType::kFile
                            ? formatted("It has {} names (hard links) and may be somebody else's file: change it by hand.", file.names)
                            : "It is outside the data directory and does not belong to the cluster's owner: change it by hand.";
    }
    return finding;
}

}  // namespace steward
