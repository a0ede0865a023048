#include "program/permissions/finding_report.h"

#include <grp.h>
#include <pwd.h>

#include <filesystem>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

constexpr size_t kMostGroups = 1000;
constexpr size_t kMostListed = 10000;

std::string counted(uint64_t count, std::string_view what) { return formatted("{} {}{}", count, what, count == 1 ? "" : "s"); }

/// A path as it can be shown: whoever made the file must not write to the terminal of whoever looks.
std::string shown(std::string_view path) {
    std::string text;
    for (const char c : path) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x20 || byte == 0x7f) text += formatted("\\x{:02x}", byte);
        else text += c;
    }
    return text;
}

std::string directory_of(const Finding& finding) { return std::filesystem::path(finding.file.path).parent_path().native(); }

}  // namespace

std::string OwnerNames::user(uid_t user) {
    const auto [known, added] = users_.try_emplace(user);
    if (added) {
        const passwd* const entry = ::getpwuid(user);
        known->second = entry == nullptr ? std::to_string(user) : entry->pw_name;
    }
    return known->second;
}

std::string OwnerNames::group(gid_t group) {
    const auto [known, added] = groups_.try_emplace(group);
    if (added) {
        const ::group* const entry = ::getgrgid(group);
        known->second = entry == nullptr ? std::to_string(group) : entry->gr_name;
    }
    return known->second;
}

std::string OwnerNames::rights(const FileRights& rights) { return formatted("{}:{} {:04o}", user(rights.user), group(rights.group), rights.mode); }

std::string describe_change(const RightsChange& change, OwnerNames& names) {
    return formatted("\"{}\": {} -> {}", shown(change.path), names.rights(change.before), names.rights(change.after));
}

void FindingReport::add(const Finding& finding) {
    ++counts_[static_cast<size_t>(finding.severity)];
    if (finding.action == Action::kChange) ++changeable_;
    else if (finding.severity == Severity::kError) ++lasting_errors_;
    if (finding.action == Action::kNeedsRoot) ++for_root_;
    if (listed_.size() < kMostListed) listed_.push_back(finding);
    const FileRights& is = finding.file.rights;
    Key key(finding.severity, directory_of(finding), finding.why + finding.cure, is.user, is.group, is.mode, finding.file.type, finding.action);
    if (const auto known = group_of_.find(key); known != group_of_.end()) {
        ++groups_[known->second].others;
    } else if (groups_.size() < kMostGroups) {
        group_of_.emplace(std::move(key), groups_.size());
        groups_.push_back({finding});
    }
}

void FindingReport::render_group(std::string& text, const Group& group) const {
    const Finding& finding = group.first;
    text += formatted("{}: \"{}\"", to_string(finding.severity), shown(finding.file.path));
    if (finding.file.type != FileType::kMissing) text += formatted(" is {}", names_.rights(finding.file.rights));
    if (finding.change) text += formatted(", must be {}", names_.rights(*finding.change));
    if (group.others > 0) text += formatted(", and {} more in \"{}\"", group.others, shown(directory_of(finding)));
    text += formatted("\n    {}", shown(finding.why));
    if (!finding.cure.empty()) text += formatted(" {}", finding.cure);
    if (finding.action == Action::kNeedsRoot) text += " Only root can change it.";
    text += "\n";
}

std::string FindingReport::render_text() const {
    std::string text;
    uint64_t shown = 0;
    for (const Severity severity : {Severity::kError, Severity::kWarning, Severity::kNote})
        for (const Group& group : groups_) {
            if (group.first.severity != severity) continue;
            render_group(text, group);
            shown += 1 + group.others;
        }
    const uint64_t all = count(Severity::kError) + count(Severity::kWarning) + count(Severity::kNote);
    if (shown < all) text += formatted("... and {} more\n", all - shown);
    return text + formatted("{}, {}, {}\n", counted(count(Severity::kError), "error"), counted(count(Severity::kWarning), "warning"),
                            counted(count(Severity::kNote), "note"));
}

Json FindingReport::as_json() const {
    Json findings = Json::array();
    const auto rights = [&](const FileRights& of) {
        return Json{{"user", names_.user(of.user)}, {"group", names_.group(of.group)}, {"mode", formatted("{:04o}", of.mode)}};
    };
    for (const Finding& finding : listed_) {
        Json entry{{"path", finding.file.path}, {"severity", to_string(finding.severity)}, {"problem", to_string(finding.problem)},
                   {"why", finding.why}, {"cure", finding.cure}};
        entry["is"] = finding.file.type == FileType::kMissing ? Json() : rights(finding.file.rights);
        entry["must_be"] = finding.change ? rights(*finding.change) : Json();
        entry["fix"] = finding.action == Action::kChange ? "possible" : finding.action == Action::kNeedsRoot ? "needs_root" : "none";
        findings.push_back(std::move(entry));
    }
    return {{"findings", std::move(findings)},
            {"counts", {{"error", count(Severity::kError)}, {"warning", count(Severity::kWarning)}, {"note", count(Severity::kNote)},
                        {"fix_possible", changeable_}, {"needs_root", for_root_}}}};
}

}  // namespace steward
