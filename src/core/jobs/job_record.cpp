#include "core/jobs/job_record.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

constexpr std::array<std::pair<JobTrigger, std::string_view>, 4> kTriggers = {{{JobTrigger::kManual, "manual"},
                                                                               {JobTrigger::kSchedule, "schedule"},
                                                                               {JobTrigger::kGap, "gap"},
                                                                               {JobTrigger::kSuccession, "succession"}}};
constexpr std::array<std::pair<JobResult, std::string_view>, 4> kResults = {{{JobResult::kRunning, "running"},
                                                                             {JobResult::kSucceeded, "succeeded"},
                                                                             {JobResult::kFailed, "failed"},
                                                                             {JobResult::kCancelled, "cancelled"}}};

template <typename Names, typename Value>
std::string_view name_in(const Names& names, Value value) {
    return std::ranges::find(names, value, &Names::value_type::first)->second;
}

Error malformed(std::string_view why) { return Error(ErrorCode::corrupt_object, formatted("malformed record of a job: {}", why)); }

template <typename Names>
auto value_named(const Names& names, const std::string& name) -> Result<typename Names::value_type::first_type> {
    const auto found = std::ranges::find(names, name, &Names::value_type::second);
    if (found == names.end()) return malformed("\"" + name + "\" is not known");
    return found->first;
}

}  // namespace

std::string_view to_string(JobTrigger trigger) { return name_in(kTriggers, trigger); }
std::string_view to_string(JobResult result) { return name_in(kResults, result); }

std::string render_job_record(const JobRecord& record) {
    Json json = {{"number", record.number},
                 {"job", record.job},
                 {"trigger", std::string(to_string(record.trigger))},
                 {"started_at", format_time(record.started)},
                 {"bytes", record.bytes},
                 {"result", std::string(to_string(record.result))}};
    if (record.finished) json["finished_at"] = format_time(*record.finished);
    if (!record.summary.empty()) json["summary"] = record.summary;
    if (!record.error.empty()) json["error"] = record.error;
    return render_json(json) + "\n";
}

Result<JobRecord> parse_job_record(std::string_view line) {
    const Json json = parse_json(line);
    if (!json.is_object()) return malformed("it is no JSON object");
    // The JSON library reports missing and mistyped members by exception; here is where that becomes a value.
    try {
        JobRecord record;
        json.at("number").get_to(record.number);
        json.at("job").get_to(record.job);
        TRY_ASSIGN(record.trigger, value_named(kTriggers, json.at("trigger").get<std::string>()));
        TRY_ASSIGN(record.started, parse_time(json.at("started_at").get<std::string>()));
        json.at("bytes").get_to(record.bytes);
        TRY_ASSIGN(record.result, value_named(kResults, json.at("result").get<std::string>()));
        if (json.contains("finished_at")) {
            TRY_ASSIGN(record.finished, parse_time(json.at("finished_at").get<std::string>()));
        }
        record.summary = json.value("summary", "");
        record.error = json.value("error", "");
        return record;
    } catch (const Json::exception& problem) {
        return malformed(problem.what());
    }
}

std::vector<JobRecord> fold_job_records(std::string_view lines) {
    std::map<uint64_t, JobRecord> by_number;
    while (!lines.empty()) {
        const size_t end = std::min(lines.find('\n'), lines.size());
        Result<JobRecord> record = parse_job_record(lines.substr(0, end));
        if (record.ok()) {
            const uint64_t number = record->number;
            by_number[number] = std::move(record).value();
        }
        lines.remove_prefix(std::min(end + 1, lines.size()));
    }
    std::vector<JobRecord> records;
    records.reserve(by_number.size());
    for (auto& [number, record] : by_number) records.push_back(std::move(record));
    return records;
}

std::vector<JobRecord> kept_records(const std::vector<JobRecord>& records, size_t keep) {
    std::set<std::string_view> seen, seen_success;
    std::vector<JobRecord> kept;
    for (auto record = records.rbegin(); record != records.rend(); ++record) {
        const bool newest = seen.insert(record->job).second;
        const bool newest_success = record->result == JobResult::kSucceeded && seen_success.insert(record->job).second;
        if (kept.size() < keep || newest || newest_success) kept.push_back(*record);
    }
    std::ranges::reverse(kept);
    return kept;
}

void end_unfinished(std::vector<JobRecord>& records) {
    for (JobRecord& record : records) {
        if (record.result != JobResult::kRunning) continue;
        record.result = JobResult::kFailed;
        record.error = "server ended while it ran";
    }
}

}  // namespace steward
