#include "core/permissions/cluster_files.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "core/base/format.h"
#include "core/permissions/access.h"

namespace steward {

namespace {

constexpr mode_t kGroupDirectory = 0750, kGroupFile = 0640, kOwnDirectory = 0700, kOwnFile = 0600;
constexpr mode_t kExcess = 0027;       // PG_MODE_MASK_GROUP
constexpr mode_t kKeptOfDirectory = 07000;  // volumes of containers have the set-group-ID bit

constexpr auto kNames = std::to_array<std::string_view>({
    "PG_VERSION", "backup_label", "backup_label.old", "backup_manifest", "backup_manifest.tmp", "base", "current_logfiles", "current_logfiles.tmp",
    "global", "log", "logrotate", "pg_commit_ts", "pg_dynshmem", "pg_hba.conf", "pg_ident.conf", "pg_logical", "pg_multixact", "pg_notify",
    "pg_replslot", "pg_serial", "pg_snapshots", "pg_stat", "pg_stat_tmp", "pg_steward", "pg_steward.restore", "pg_subtrans", "pg_tblspc",
    "pg_twophase", "pg_upgrade_output.d", "pg_wal", "pg_xact", "postgresql.auto.conf", "postgresql.auto.conf.tmp", "postgresql.conf",
    "postmaster.opts", "postmaster.pid", "promote", "recovery.signal", "standby.signal", "tablespace_map", "tablespace_map.old",
});
static_assert(std::ranges::is_sorted(kNames));

mode_t right_mode(const FileFact& file, bool group_access) {
    if (file.type == FileType::kDirectory) return (group_access ? kGroupDirectory : kOwnDirectory) | (file.rights.mode & kKeptOfDirectory);
    return group_access ? kGroupFile : kOwnFile;
}

/// What is wrong, worst first.
struct Faults {
    bool owner = false, unusable = false, excess = false, group = false;

    bool any() const { return owner || unusable || excess || group; }
};

Faults find_faults(const FileFact& file, const ClusterRules& rules) {
    const mode_t needed = file.type == FileType::kDirectory ? kOwnDirectory : kOwnFile;
    Faults faults;
    faults.owner = file.rights.user != rules.owner.user;
    faults.unusable = (file.rights.mode & needed) != needed;
    faults.excess = (file.rights.mode & kExcess) != 0;
    faults.group = rules.group_access && (file.rights.mode & 0070) != 0 && file.rights.group != rules.owner.group;
    return faults;
}

FileRights right_rights(const FileFact& file, const Faults& faults, const ClusterRules& rules) {
    FileRights right = file.rights;
    if (faults.owner || faults.group) right.group = rules.owner.group;
    right.user = rules.owner.user;
    if (faults.unusable || faults.excess) right.mode = right_mode(file, rules.group_access);
    return right;
}

std::string describe(const FileFact& file, const Faults& faults, ClusterPlace place) {
    std::string why;
    const auto add = [&](std::string_view sentence) { why += formatted("{}{}", why.empty() ? "" : " ", sentence); };
    if (faults.owner)
        add(place == ClusterPlace::kDataDirectory ? "The server starts only as the user to whom its data directory belongs." : "It belongs to somebody else.");
    if (faults.unusable) add(file.type == FileType::kDirectory ? "The owner cannot read, write and search it." : "The owner cannot read and write it.");
    if (faults.excess)
        add(place == ClusterPlace::kDataDirectory ? "The server does not start on a directory that others can get into or the group can write."
                                                  : "Others have access to it, or the group can write it.");
    if (faults.group) add("Another group than the cluster's has access to it.");
    return why;
}

/// A plain file inside that is too open is still behind the data directory.
Severity severity_of(const Faults& faults, ClusterPlace place) {
    if (faults.owner || faults.unusable) return Severity::kError;
    return faults.excess && place != ClusterPlace::kInside ? Severity::kError : Severity::kWarning;
}

Problem problem_of(const Faults& faults) {
    if (faults.owner) return Problem::kWrongOwner;
    if (faults.unusable) return Problem::kNotUsable;
    return faults.excess ? Problem::kTooOpen : Problem::kWrongGroup;
}

/// Why a file's rights are not ours to change; empty when they are.
std::string why_not_ours(const FileFact& file, ClusterPlace place, bool outside, const ClusterRules& rules) {
    if (file.type == FileType::kFile && file.names > 1)
        return formatted("It has {} names (hard links) and may be somebody else's file: make sure that it is not, and change it by hand.", file.names);
    if (!outside || file.rights.user == rules.owner.user) return {};
    if (file.rights.user != 0 && file.rights.user != rules.found_owner)
        return "A link leads to it, and it belongs neither to the cluster's owner nor to root: make sure whose it is, and change it by hand.";
    // Whoever can write here can have made it look like a tablespace.
    if (place == ClusterPlace::kLinkedDirectory && (file.rights.mode & 0022) != 0)
        return "A link leads to it, and others than its owner can write it: make sure whose it is, and change it by hand.";
    return {};
}

}  // namespace

bool decide_group_access(mode_t data_directory, mode_t version_file) {
    if ((data_directory & kExcess) == 0) return (data_directory & kGroupDirectory) == kGroupDirectory;
    return (version_file & 0777) == kGroupFile;
}

std::optional<Finding> judge_cluster_file(const FileFact& file, ClusterPlace place, bool outside, const ClusterRules& rules) {
    if (file.type != FileType::kFile && file.type != FileType::kDirectory)
        return not_searched(file, file.type == FileType::kLink ? "It is a symbolic link, which is not followed." : "It is neither a file nor a directory.");
    const Faults faults = find_faults(file, rules);
    if (!faults.any()) return std::nullopt;
    Finding finding{.file = file, .severity = severity_of(faults, place), .problem = problem_of(faults), .why = describe(file, faults, place)};
    finding.cure = why_not_ours(file, place, outside, rules);
    if (finding.cure.empty()) finding.change = right_rights(file, faults, rules);
    return finding;
}

bool is_cluster_name(std::string_view name) { return std::ranges::binary_search(kNames, name); }

bool is_tablespace_name(std::string_view name, int major) {
    const std::string prefix = formatted("PG_{}_", major);
    if (!name.starts_with(prefix) || name.size() == prefix.size()) return false;
    return std::ranges::all_of(name.substr(prefix.size()), [](char c) { return c >= '0' && c <= '9'; });
}

Finding foreign_file(const FileFact& file, const FileUser& owner) {
    const bool readable = file.type == FileType::kLink || may_access(owner, file, file.type == FileType::kDirectory ? kSearch | kRead : kRead);
    Finding finding{.file = file, .severity = readable ? Severity::kNote : Severity::kWarning, .problem = Problem::kForeign};
    finding.why = "It is not the cluster's and is left alone.";
    if (!readable) finding.why += " The owner cannot read it: backups that copy the whole directory fail on it.";
    if (!readable) finding.cure = "Move it out of the data directory.";
    return finding;
}

Finding not_searched(const FileFact& file, std::string why) {
    return {.file = file, .severity = Severity::kNote, .problem = Problem::kNotSearched, .why = std::move(why)};
}

}  // namespace steward
