#include "core/upgrade/rehearsal_record.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/base/json.h"
#include "core/upgrade/finding_json.h"

namespace steward {

namespace {

Json steps_as_json(const RehearsalRecord& record) {
    Json json = Json::array();
    for (const TimedStep& timed : record.steps) json.push_back({{"hop", timed.step.hop}, {"step", name_of(timed.step.step)}, {"seconds", timed.time.count()}});
    return json;
}

std::string render_line(std::string_view what, Seconds time) { return formatted("  {:<22} {:8.1f} s\n", what, time.count()); }

std::string render_times(const RehearsalRecord& record) {
    std::string text = render_line("checks", record.planning);
    for (const TimedStep& timed : record.steps) text += render_line(name_in_run(timed.step, record.request), timed.time);
    return text + render_line("together", record.downtime());
}

std::string render_space(const RehearsalRecord& record) {
    return formatted("space: up to {} beside the cluster's {}, and {} until the commit{}\n", pretty_size(record.peak_bytes), pretty_size(record.data_bytes), pretty_size(record.kept_bytes),
                     record.shares_blocks ? "; less by the blocks that files share" : "");
}

std::string render_findings(const std::vector<UpgradeFinding>& findings) {
    std::string text;
    for (const UpgradeFinding& finding : findings) text += formatted("{}: {} [{}]\n", name_of(finding.weight), finding.summary, finding.check);
    return text;
}

}  // namespace

std::vector<TimedStep> time_steps(std::span<const JournalEntry> run) {
    std::vector<TimedStep> steps;
    TimePoint begun{};
    for (const JournalEntry& entry : run) {
        if (entry.event == JournalEvent::kStep) begun = entry.at;
        if (entry.event == JournalEvent::kDone) steps.push_back({entry.step, entry.at - begun});
    }
    return steps;
}

Seconds RehearsalRecord::downtime() const {
    Seconds sum = planning;
    for (const TimedStep& timed : steps) sum += timed.time;
    return sum;
}

std::string render_rehearsal(const RehearsalRecord& record) {
    const UpgradeRequest& request = record.request;
    std::string text = formatted("rehearsal of the upgrade of \"{}\" from {} by {}, to", record.data_directory.native(), request.from, name_of(request.method));
    for (const int major : request.path) text += formatted(" {}", major);
    text += record.backup.empty() ? formatted(", on a copy that was made in {:.1f} s\n", record.evidence.count())
                                  : formatted(", on backup {}, restored and recovered in {:.1f} s\n", record.backup, record.evidence.count());
    text += render_times(record) + render_space(record) + render_findings(record.findings);
    for (const std::string& caveat : record.caveats) text += caveat + "\n";
    return text + formatted("downtime: {:.1f} s, and what the old server takes to stop and the new one to start\n", record.downtime().count());
}

std::string render_rehearsal_json(const RehearsalRecord& record) {
    const UpgradeRequest& request = record.request;
    const Json json = {{"time", format_time(record.time)},
                       {"data_directory", record.data_directory.native()},
                       {"place", record.place.native()},
                       {"from", request.from},
                       {"path", request.path},
                       {"method", name_of(request.method)},
                       {"jobs", request.jobs},
                       {"statistics", request.statistics},
                       {"backup", record.backup.empty() ? Json() : Json(record.backup)},
                       {"evidence_seconds", record.evidence.count()},
                       {"checks_seconds", record.planning.count()},
                       {"steps", steps_as_json(record)},
                       {"downtime_seconds", record.downtime().count()},
                       {"data_bytes", record.data_bytes},
                       {"peak_bytes", record.peak_bytes},
                       {"kept_bytes", record.kept_bytes},
                       {"shares_blocks", record.shares_blocks},
                       {"caveats", record.caveats},
                       {"findings", findings_as_json(record.findings)},
                       {"notes", record.notes}};
    // Paths and names may be of any bytes.
    return render_json(json);
}

Result<RehearsalOutcome> parse_rehearsal(std::string_view text) {
    const auto not_understood = [] { return Error(ErrorCode::corrupt_object, "the record of a rehearsal is not understood"); };
    const Json json = parse_json(text);
    if (!json.is_object()) return not_understood();
    RehearsalOutcome outcome;
    // What is missing or of another type throws, and nothing else does.
    try {
        TRY_ASSIGN(outcome.time, parse_time(json.at("time").get<std::string>()));
        outcome.from = json.at("from").get<int>();
        outcome.path = json.at("path").get<std::vector<int>>();
        const auto method = parse_transfer_method(json.at("method").get<std::string>());
        if (!method) return not_understood();
        outcome.method = *method;
        outcome.downtime = Seconds(json.at("downtime_seconds").get<double>());
        outcome.peak_bytes = json.at("peak_bytes").get<uint64_t>();
    } catch (const Json::exception&) {
        return not_understood();
    }
    return outcome;
}

std::optional<std::string> recall_rehearsal(const RehearsalOutcome& rehearsal, const UpgradeRequest& request) {
    if (rehearsal.from != request.from || rehearsal.path != request.path) return std::nullopt;
    return formatted("rehearsed by {} on {}: {:.0f} s, up to {}", name_of(rehearsal.method), format_time(rehearsal.time), rehearsal.downtime.count(),
                     pretty_size(rehearsal.peak_bytes));
}

}  // namespace steward
