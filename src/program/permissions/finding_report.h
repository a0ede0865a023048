// Findings as people and scripts read them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/json.h"
#include "core/permissions/change_list.h"
#include "core/permissions/finding.h"

namespace steward {

/// Turns numbers of users and groups into names, and remembers them.
class OwnerNames {
public:
    std::string user(uid_t user);
    std::string group(gid_t group);
    /// "postgres:postgres 0600".
    std::string rights(const FileRights& rights);

private:
    std::map<uid_t, std::string> users_;
    std::map<gid_t, std::string> groups_;
};

/// Gathers findings. Those of one directory that are alike are one entry with a count; the memory it takes is bounded.
class FindingReport {
public:
    explicit FindingReport(OwnerNames& names) : names_(names) {}

    void add(const Finding& finding);

    uint64_t count(Severity severity) const { return counts_[static_cast<size_t>(severity)]; }
    /// Errors that a fix of this process leaves.
    uint64_t lasting_errors() const { return lasting_errors_; }
    uint64_t changeable() const { return changeable_; }
    uint64_t for_root() const { return for_root_; }

    /// One or two lines for each group, the worst first, and a line of counts.
    std::string render_text() const;
    /// "findings" with the first ones, and "counts" of all.
    Json as_json() const;

private:
    struct Group {
        Finding first;
        uint64_t others = 0;
    };
    using Key = std::tuple<Severity, std::string, std::string, uid_t, gid_t, mode_t, FileType, Action>;

    void render_group(std::string& text, const Group& group) const;

    OwnerNames& names_;
    std::vector<Group> groups_;  ///< as they came
    std::map<Key, size_t> group_of_;
    std::vector<Finding> listed_;
    std::array<uint64_t, 3> counts_{};
    uint64_t lasting_errors_ = 0;
    uint64_t changeable_ = 0;
    uint64_t for_root_ = 0;
};

/// "\"PATH\": postgres:postgres 0644 -> postgres:postgres 0600".
std::string describe_change(const RightsChange& change, OwnerNames& names);

}  // namespace steward
