#include "core/upgrade/pg_upgrade_report.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"

namespace steward {

namespace {

/// A list whose meaning is known, and that we cannot make ourselves.
struct KnownList {
    std::string_view file;
    std::string_view lines_with;  ///< only those lines; empty: all
    std::string_view check;
    FindingWeight weight;
    std::string_view summary;
    std::string_view detail;
    std::string_view covered_by;  ///< a check of ours that finds the same in another way
    std::string (*cure)(std::string_view line);
};

std::string no_cure(std::string_view) { return {}; }

/// The text between the first two double quotes.
std::string_view quoted_part(std::string_view line) {
    const size_t begin = line.find('"');
    if (begin == line.npos) return {};
    const size_t end = line.find('"', begin + 1);
    return end == line.npos ? std::string_view() : line.substr(begin + 1, end - begin - 1);
}

std::string drop_slot(std::string_view line) { return formatted("SELECT pg_drop_replication_slot({});", quote_sql_literal(quoted_part(line))); }

constexpr std::array kKnownLists = {
    KnownList{"invalid_logical_slots.txt", "has not consumed", "slots_behind", FindingWeight::kObstacle, "a logical replication slot has changes that nobody has received",
              "Start the server, let the subscriber receive them, and stop the server while it is connected. Or drop the slot, and give the subscriber a new start.", "", drop_slot},
    KnownList{"disallowed_output_plugins.txt", "", "output_plugins", FindingWeight::kObstacle, "the new cluster would not allow a logical replication slot's plugin",
              "Add it to output_plugin_libraries, which the new cluster takes over from the old one, or drop the slot.", "", drop_slot},
    KnownList{"subs_invalid.txt", "", "subscriptions_without_origin", FindingWeight::kObstacle, "a subscription cannot be carried over",
              "It is still copying a table, or its replication origin is gone: then make it anew.", "subscriptions_in_between", no_cure},
    KnownList{"loadable_libraries.txt", "", "unloadable_libraries", FindingWeight::kObstacle, "the new server cannot load a library",
              "Install the package that has it for the new major, or drop the extension. One that insists on being loaded at the server's start has to be in "
              "shared_preload_libraries.",
              "missing_libraries", no_cure},
    KnownList{"unicode_dependent_rels.txt", "", "unicode_dependents", FindingWeight::kWarning, "a table or index depends on the version of Unicode, which is another in the new major",
              "After the upgrade rebuild the indexes (REINDEX), and look whether the constraints still hold.", "", no_cure},
};

bool contains_check(const std::vector<UpgradeFinding>& findings, std::string_view check) {
    return !check.empty() && std::ranges::find(findings, check, &UpgradeFinding::check) != findings.end();
}

bool has_obstacle(const std::vector<UpgradeFinding>& findings) {
    return std::ranges::find(findings, FindingWeight::kObstacle, &UpgradeFinding::weight) != findings.end();
}

/// Indented lines are about the line above that is not, mostly "In database: app".
std::vector<std::string> lines_in(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        const size_t begin = line.find_first_not_of(" \t");
        if (begin != line.npos) lines.emplace_back(line.substr(begin));
    }
    return lines;
}

UpgradeFinding finding_of(const KnownList& known, std::string_view text) {
    UpgradeFinding finding{.check = std::string(known.check),
                           .weight = known.weight,
                           .summary = std::string(known.summary),
                           .detail = std::string(known.detail),
                           .objects = {},
                           .cures = {}};
    for (std::string& line : lines_in(text)) {
        if (line.find(known.lines_with) == line.npos) continue;
        if (std::string cure = known.cure(line); !cure.empty()) finding.cures.push_back(std::move(cure));
        finding.objects.push_back(std::move(line));
    }
    return finding;
}

UpgradeFinding unexplained(const PgUpgradeReport& report) {
    UpgradeFinding finding{.check = "pg_upgrade",
                           .weight = FindingWeight::kObstacle,
                           .summary = "pg_upgrade refuses the cluster",
                           .detail = formatted("This is what it says: {}", report.said),
                           .objects = {},
                           .cures = {}};
    for (const PgUpgradeList& list : report.lists)
        for (const std::string& line : lines_in(list.text)) finding.objects.push_back(formatted("{}: {}", list.file, line));
    return finding;
}

}  // namespace

std::vector<UpgradeFinding> explain_pg_upgrade(const PgUpgradeReport& report, const std::vector<UpgradeFinding>& found) {
    std::vector<UpgradeFinding> findings;
    for (const PgUpgradeList& list : report.lists) {
        const auto* const known = std::ranges::find(kKnownLists, list.file, &KnownList::file);
        if (known == kKnownLists.end() || contains_check(found, known->covered_by)) continue;
        UpgradeFinding finding = finding_of(*known, list.text);
        if (!finding.objects.empty()) findings.push_back(std::move(finding));
    }
    if (!report.content && !has_obstacle(found) && !has_obstacle(findings)) findings.push_back(unexplained(report));
    return findings;
}

}  // namespace steward
