// Telling where an upgrade stands.

#include <sys/stat.h>

#include "core/base/format.h"
#include "core/base/json.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/upgrade_run.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// What to type now.
std::string advice(const UpgradeStatus& status) {
    if (status.at_work) return "A process is at work on it. Wait.";
    switch (status.standing.state) {
        case UpgradeState::kNotBegun: return "";
        case UpgradeState::kUnderWay: return "Go on with \"pg_steward upgrade run\", or take it back with \"pg_steward upgrade rollback\".";
        case UpgradeState::kMustRollBack:
        case UpgradeState::kRollingBack: return "Run \"pg_steward upgrade rollback\".";
        case UpgradeState::kUpgraded:
            return "Start the new server and look whether all is well. Then \"pg_steward upgrade commit\" removes the old cluster; until then "
                   "\"pg_steward upgrade rollback\" brings it back.";
        case UpgradeState::kRolledBack: return "Start the old server. \"pg_steward upgrade run\" begins anew; \"pg_steward upgrade commit\" removes the logs.";
        case UpgradeState::kCommitting: return "Run \"pg_steward upgrade commit\".";
    }
    return "";
}

std::string outcome_of(const JournalEntry& entry) {
    switch (entry.event) {
        case JournalEvent::kBegin: return "begun";
        case JournalEvent::kStep: return "begun";
        case JournalEvent::kDone: return "done";
        case JournalEvent::kFailed: return "failed";
    }
    return "";
}

std::string fact_of(const JournalEntry& entry, std::string_view name) {
    const auto found = entry.facts.find(std::string(name));
    return found == entry.facts.end() ? std::string() : found->second;
}

std::string majors_of(const UpgradeRequest& request) {
    std::string text = std::to_string(request.from);
    for (const int major : request.path) text += formatted(" to {}", major);
    return text;
}

std::string render_steps(const UpgradeStatus& status) {
    std::string text = "journal:\n";
    for (const JournalEntry& entry : status.run) {
        // The line of the beginning is said by the one of the end.
        const bool ended = &entry != &status.run.back() && (&entry + 1)->step == entry.step && (&entry + 1)->event != JournalEvent::kBegin;
        if (entry.event == JournalEvent::kBegin || (entry.event == JournalEvent::kStep && ended)) continue;
        text += formatted("  {}  {:<8} {}\n", format_time(entry.at), outcome_of(entry), name_in_run(entry.step, *status.request));
    }
    return text;
}

}  // namespace

Result<UpgradeStatus> read_upgrade_status(const fs::path& data_directory) {
    TRY_ASSIGN(const fs::path directory, resolve_data_directory(data_directory));
    UpgradeStatus status{UpgradePlaces(directory), {}, {}, {}, false};
    TRY_ASSIGN(const std::vector<JournalEntry> entries, UpgradeJournal::read(status.places));
    TRY_ASSIGN(const SeenCluster seen, see_cluster(directory));
    const std::span<const JournalEntry> run = last_run(entries);
    status.run.assign(run.begin(), run.end());
    status.standing = judge_upgrade(run, seen);
    if (!run.empty()) status.request = run.front().request;
    status.at_work = UpgradeJournal::is_in_use(status.places);
    return status;
}

Result<std::optional<SeenUpgrade>> see_upgrade(const fs::path& data_directory) {
    const UpgradePlaces places(data_directory);
    TRY_ASSIGN(const std::vector<JournalEntry> entries, UpgradeJournal::read(places));
    const std::span<const JournalEntry> run = last_run(entries);
    // What else is at the data directory's path is not looked at then: it need not be a cluster.
    if (run.empty()) return std::optional<SeenUpgrade>();
    TRY_ASSIGN(const SeenCluster seen, see_cluster(data_directory));
    UpgradeStanding standing = judge_upgrade(run, seen);
    SeenUpgrade upgrade{data_directory, places.root, *run.front().request, standing.state, std::move(standing.reason), seen.major, UpgradeJournal::is_in_use(places), {}};
    struct stat st;
    if (::stat(places.root.c_str(), &st) == 0) upgrade.owner = FileOwner{st.st_uid, st.st_gid};
    return std::optional(std::move(upgrade));
}

std::string render_upgrade_status(const UpgradeStatus& status) {
    const UpgradeStanding& standing = status.standing;
    std::string text = formatted("data directory \"{}\"\nstate: {}\n", status.places.data_directory.native(), name_of(standing.state));
    if (!status.request) return text;
    text += formatted("upgrade: {} by {}\n", majors_of(*status.request), name_of(status.request->method));
    if (standing.next) text += formatted("next step: {} ({})\n", name_in_run(*standing.next, *status.request), describe(standing.next->step));
    if (!standing.reason.empty()) text += formatted("reason: {}\n", standing.reason);
    if (standing.failure) text += formatted("failed: {} ({})\n", name_in_run(standing.failure->step, *status.request), fact_of(*standing.failure, kFactMessage));
    if (standing.used_since) text += "the new cluster has been used since it was put in place\n";
    text += render_steps(status);
    text += formatted("logs: \"{}\"\n", status.places.logs().native());
    return text + advice(status) + "\n";
}

std::string render_upgrade_status_json(const UpgradeStatus& status) {
    const UpgradeStanding& standing = status.standing;
    Json json = {{"data_directory", status.places.data_directory.native()}, {"state", name_of(standing.state)}, {"at_work", status.at_work}};
    if (status.request) {
        json["from"] = status.request->from;
        json["path"] = status.request->path;
        json["method"] = name_of(status.request->method);
        json["next"] = standing.next ? Json({{"hop", standing.next->hop}, {"step", name_of(standing.next->step)}}) : Json();
        json["reason"] = standing.reason;
        json["failure"] = standing.failure ? Json({{"step", name_of(standing.failure->step.step)}, {"message", fact_of(*standing.failure, kFactMessage)}}) : Json();
        json["used_since"] = standing.used_since;
        json["logs"] = status.places.logs().native();
        json["journal"] = Json::array();
        for (const JournalEntry& entry : status.run)
            json["journal"].push_back({{"at", format_time(entry.at)},
                                       {"event", outcome_of(entry)},
                                       {"hop", entry.step.hop},
                                       {"step", entry.event == JournalEvent::kBegin ? Json() : Json(name_of(entry.step.step))}});
    }
    json["advice"] = advice(status);
    // A path may be of any bytes.
    return render_json(json) + "\n";
}

}  // namespace steward
