#include "program/preseed/seed_report.h"

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

std::string identifier_of(const RepositoryEvidence& repository) {
    return repository.system_identifier ? formatted(", cluster {}", *repository.system_identifier) : std::string();
}

std::string render_evidence(const SeedReport& report) {
    const SeedEvidence& evidence = report.evidence;
    std::string text = formatted("data directory: {}\n", evidence.directory.native());
    if (evidence.unmounted.empty()) text += formatted("it is: {}{}\n", to_string(evidence.content), evidence.in_place ? ", a mount point" : "");
    for (const UnmountedPlace& place : evidence.unmounted) text += formatted("not mounted: {}\n", place.reason);
    if (evidence.cluster)
        text += formatted("cluster: {} of PostgreSQL {}, {}\n", evidence.cluster->system_identifier, evidence.cluster->major,
                          to_string(evidence.cluster->state));
    for (const RepositoryEvidence& repository : report.repositories)
        text += formatted("repository {}: {}{}{}\n", repository.url, to_string(repository.state), identifier_of(repository),
                          repository.problem.empty() ? "" : ": " + repository.problem);
    return text;
}

Json evidence_json(const SeedEvidence& evidence) {
    Json json = {{"data_directory", evidence.directory.native()},
                 {"content", to_string(evidence.content)},
                 {"mount_point", evidence.in_place},
                 {"restore_leftover", evidence.restore_leftover},
                 {"initdb_leftover", evidence.initdb_leftover}};
    if (evidence.cluster)
        json["cluster"] = {{"system_identifier", std::to_string(evidence.cluster->system_identifier)},
                           {"major", evidence.cluster->major},
                           {"state", to_string(evidence.cluster->state)}};
    if (!evidence.damage.empty()) json["damage"] = evidence.damage;
    if (!evidence.names.empty()) json["names"] = evidence.names;
    auto& unmounted = json["not_mounted"] = Json::array();
    for (const UnmountedPlace& place : evidence.unmounted) unmounted.push_back({{"path", place.path.native()}, {"reason", place.reason}});
    return json;
}

Json repository_json(const RepositoryEvidence& repository) {
    Json json = {{"url", repository.url}, {"state", to_string(repository.state)}};
    if (repository.system_identifier) json["system_identifier"] = std::to_string(*repository.system_identifier);
    if (!repository.problem.empty()) json["problem"] = repository.problem;
    return json;
}

}  // namespace

std::string render_seed(const SeedReport& report) {
    std::string text = report.dry_run ? render_evidence(report) : formatted("data directory: {}\n", report.evidence.directory.native());
    text += formatted("decision: {}\nreason: {}\n", to_string(report.decision.action), report.decision.reason);
    for (const std::string& note : report.decision.notes) text += formatted("note: {}\n", note);
    if (!report.decision.workplace.empty()) text += formatted("made in: {}\n", report.decision.workplace.native());
    text += report.restore_plan;
    if (report.dry_run) text += "Nothing was changed.\n";
    return text;
}

std::string render_seed_json(const SeedReport& report) {
    Json json = {{"dry_run", report.dry_run}, {"evidence", evidence_json(report.evidence)}};
    auto& repositories = json["repositories"] = Json::array();
    for (const RepositoryEvidence& repository : report.repositories) repositories.push_back(repository_json(repository));
    const SeedDecision& decision = report.decision;
    json["decision"] = to_string(decision.action);
    json["reason"] = decision.reason;
    json["notes"] = decision.notes;
    if (!decision.workplace.empty()) json["made_in"] = decision.workplace.native();
    if (decision.system_identifier) json["system_identifier"] = std::to_string(*decision.system_identifier);
    if (!report.restore_plan.empty()) json["restore_plan"] = parse_json(report.restore_plan);
    if (decision.refusal) {
        const ErrorCodeInfo& code = info(decision.refusal->code());
        json["error"] = {{"code", code.name},
                         {"exit_status", code.exit_status},
                         {"message", decision.refusal->message()},
                         {"hint", decision.refusal->hint()}};
    }
    // A path may be of any bytes.
    return render_json(json) + "\n";
}

}  // namespace steward
