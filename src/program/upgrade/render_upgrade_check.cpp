#include <algorithm>

#include "core/base/format.h"
#include "core/base/json.h"
#include "core/upgrade/finding_json.h"
#include "program/upgrade/upgrade_check.h"

namespace steward {

namespace {

/// Of one finding; JSON has all of them.
constexpr size_t kMostShown = 10;

std::string render_lines(const std::vector<std::string>& lines, std::string_view prefix) {
    std::string text;
    for (const std::string& line : std::span(lines).first(std::min(lines.size(), kMostShown))) text += formatted("{}{}\n", prefix, line);
    if (lines.size() > kMostShown) text += formatted("{}... and {} more (--output json shows all)\n", prefix, lines.size() - kMostShown);
    return text;
}

std::string render_finding(const UpgradeFinding& finding) {
    std::string text = formatted("{}: {} [{}]\n", name_of(finding.weight), finding.summary, finding.check);
    text += render_lines(finding.objects, "  - ");
    if (!finding.detail.empty()) text += formatted("  {}\n", finding.detail);
    if (!finding.cures.empty()) text += "  cure:\n" + render_lines(finding.cures, "    ");
    return text;
}

std::string render_methods(const std::vector<MethodVerdict>& methods) {
    std::string text = "methods:\n";
    for (const MethodVerdict& verdict : methods) text += formatted("  {:<16} {}: {}\n", name_of(verdict.method), verdict.possible ? "possible" : "not possible", verdict.reason);
    if (const auto chosen = choose_method(methods)) text += formatted("  best that leaves the old cluster as it is: {}\n", name_of(chosen->method));
    return text;
}

std::string_view opinion_of_pg_upgrade(const UpgradeCheckReport& report) {
    if (!report.pg_upgrade) return report.running ? "pg_upgrade --check: not asked while the server runs\n" : "pg_upgrade --check: not asked\n";
    return *report.pg_upgrade ? "pg_upgrade --check: content\n" : "pg_upgrade --check: not content\n";
}

}  // namespace

std::string render_upgrade_check(const UpgradeCheckReport& report) {
    std::string text = formatted("cluster \"{}\", PostgreSQL {} to {}\n", report.data_directory.native(), report.hop.from, report.hop.to);
    for (const UpgradeFinding& finding : report.findings) text += "\n" + render_finding(finding);
    if (!report.findings.empty()) text += "\n";
    if (!report.methods.empty()) text += render_methods(report.methods);
    text += opinion_of_pg_upgrade(report);
    return text + formatted("{}: {} obstacles, {} warnings, {} notes\n", report.can_upgrade() ? "can be upgraded" : "cannot be upgraded yet", report.count_of(FindingWeight::kObstacle),
                            report.count_of(FindingWeight::kWarning), report.count_of(FindingWeight::kNote));
}

std::string render_upgrade_check_json(const UpgradeCheckReport& report) {
    Json json = {{"data_directory", report.data_directory.native()},
                 {"from", report.hop.from},
                 {"to", report.hop.to},
                 {"old_bindir", report.bindir.native()},
                 {"new_bindir", report.new_bindir.native()},
                 {"running", report.running},
                 {"can_upgrade", report.can_upgrade()}};
    json["pg_upgrade_check"] = report.pg_upgrade ? Json(*report.pg_upgrade) : Json();
    json["findings"] = findings_as_json(report.findings);
    json["methods"] = Json::array();
    for (const MethodVerdict& verdict : report.methods)
        json["methods"].push_back({{"method", name_of(verdict.method)}, {"possible", verdict.possible}, {"reason", verdict.reason}});
    const auto chosen = choose_method(report.methods);
    json["method"] = chosen ? Json(name_of(chosen->method)) : Json();
    // A name may be of any bytes.
    return render_json(json) + "\n";
}

}  // namespace steward
