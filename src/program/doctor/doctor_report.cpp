#include "program/doctor/doctor_report.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

uint64_t count_of(std::span<const Diagnosis> findings, Weight weight) { return static_cast<uint64_t>(std::ranges::count(findings, weight, &Diagnosis::weight)); }

std::string age_of(const DoctorFacts& facts, std::optional<TimePoint> time) { return time ? describe_age(facts.now - *time) + " ago" : "never"; }

std::string render_directory(const DoctorFacts& facts) {
    if (!facts.directory) return "data directory: none given\n";
    const DataDirectoryFacts& directory = *facts.directory;
    if (directory.problem) return formatted("data directory: {}, cannot be read\n", directory.path.native());
    if (!directory.has_cluster()) return formatted("data directory: {}, {}\n", directory.path.native(), to_string(directory.evidence.content));
    const SeedCluster& cluster = *directory.evidence.cluster;
    const std::string state = directory.server ? formatted("running (process {})", *directory.server) : formatted("not running, \"{}\"", to_string(cluster.state));
    return formatted("data directory: {}, PostgreSQL {}, cluster {}, {}{}\n", directory.path.native(), cluster.major, cluster.system_identifier,
                     directory.is_standby ? "standby, " : "", state);
}

std::string render_installation(const DoctorFacts& facts) {
    const InstallationFacts& found = facts.installation;
    return formatted("programs: {}, PostgreSQL {}, module {}, engine {}; this program {}\n", found.bindir.native(), found.major ? std::to_string(*found.major) : "unknown",
                     found.module_version.empty() ? "unknown" : found.module_version, found.engine_version.empty() ? "unknown" : found.engine_version, facts.program_version);
}

std::string render_repository(const DoctorFacts& facts, const RepositoryHealth& repository) {
    std::string text = formatted("repository {}: {}", repository.evidence.url, to_string(repository.evidence.state));
    if (repository.newest)
        text += formatted(", {} of them, the newest \"{}\" of {}; verified {}, drilled {}", repository.backups, repository.newest->label, age_of(facts, repository.newest->stopped),
                          age_of(facts, repository.verified), repository.last_drill ? age_of(facts, repository.last_drill->time) : "never");
    if (repository.recoverable_from && repository.recoverable_until)
        text += formatted("; recoverable from {} to at least {}", format_time(*repository.recoverable_from), format_time(*repository.recoverable_until));
    return text + "\n";
}

std::string render_finding(const Diagnosis& finding) {
    return formatted("{}: {}: {}\n  cure: {}\n", to_string(finding.weight), finding.name, finding.summary, finding.cure);
}

std::string plural(uint64_t count, const char* what) { return formatted("{} {}{}", count, what, count == 1 ? "" : "s"); }

std::string render_result(std::span<const Diagnosis> findings) {
    const uint64_t errors = count_of(findings, Weight::kError), warnings = count_of(findings, Weight::kWarning);
    if (errors + warnings == 0) return "Nothing is wrong.\n";
    return formatted("{}, {}, {}.\n", plural(errors, "error"), plural(warnings, "warning"), plural(count_of(findings, Weight::kNote), "note"));
}

Json time_json(std::optional<TimePoint> time) { return time ? Json(format_time(*time)) : Json(); }

Json directory_json(const DataDirectoryFacts& directory) {
    Json json;
    json["path"] = directory.path.native();
    if (directory.problem) return json;
    json["content"] = to_string(directory.evidence.content);
    if (!directory.has_cluster()) return json;
    const SeedCluster& cluster = *directory.evidence.cluster;
    json.update({{"system_identifier", std::to_string(cluster.system_identifier)},
                 {"major", cluster.major},
                 {"state", to_string(cluster.state)},
                 {"running", directory.server.has_value()},
                 {"standby", directory.is_standby},
                 {"config_file", directory.config_file.native()},
                 {"waiting_wal_files", directory.archive.waiting}});
    return json;
}

Json repository_json(const RepositoryHealth& repository) {
    Json json = {{"url", repository.evidence.url}, {"state", to_string(repository.evidence.state)}, {"backups", repository.backups}};
    if (repository.evidence.system_identifier) json["system_identifier"] = std::to_string(*repository.evidence.system_identifier);
    json["newest_backup"] = repository.newest ? Json{{"label", repository.newest->label}, {"time", format_time(repository.newest->stopped)}} : Json();
    json["recoverable_from"] = time_json(repository.recoverable_from);
    json["recoverable_until"] = time_json(repository.recoverable_until);
    json["verified"] = time_json(repository.verified);
    json["drilled"] = repository.last_drill ? Json(format_time(repository.last_drill->time)) : Json();
    return json;
}

}  // namespace

std::string render_doctor(const DoctorFacts& facts, std::span<const Diagnosis> findings) {
    std::string text = render_directory(facts) + render_installation(facts);
    for (const RepositoryHealth& repository : facts.repositories) text += render_repository(facts, repository);
    for (const DiskFacts& disk : facts.disks)
        text += formatted("file system of the {}: {} of {} free\n", disk.what, pretty_size(disk.free_bytes), pretty_size(disk.total_bytes));
    if (!findings.empty()) text += "\n";
    for (const Diagnosis& finding : findings) text += render_finding(finding);
    return text + "\n" + render_result(findings);
}

std::string render_doctor_json(const DoctorFacts& facts, std::span<const Diagnosis> findings) {
    Json json = {{"time", format_time(facts.now)}, {"version", facts.program_version}};
    json["data_directory"] = facts.directory ? directory_json(*facts.directory) : Json();
    const InstallationFacts& installation = facts.installation;
    json["programs"] = {{"bindir", installation.bindir.native()},
                        {"major", installation.major ? Json(*installation.major) : Json()},
                        {"module_version", installation.module_version},
                        {"engine_version", installation.engine_version}};
    auto& repositories = json["repositories"] = Json::array();
    for (const RepositoryHealth& repository : facts.repositories) repositories.push_back(repository_json(repository));
    auto& disks = json["file_systems"] = Json::array();
    for (const DiskFacts& disk : facts.disks)
        disks.push_back({{"what", disk.what}, {"path", disk.path.native()}, {"free_bytes", disk.free_bytes}, {"total_bytes", disk.total_bytes}});
    auto& list = json["findings"] = Json::array();
    for (const Diagnosis& finding : findings)
        list.push_back({{"name", finding.name}, {"weight", to_string(finding.weight)}, {"summary", finding.summary}, {"cure", finding.cure}});
    json["errors"] = count_of(findings, Weight::kError);
    json["warnings"] = count_of(findings, Weight::kWarning);
    // A path may be of any bytes.
    return render_json(json) + "\n";
}

}  // namespace steward
