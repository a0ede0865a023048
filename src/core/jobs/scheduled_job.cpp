#include "core/jobs/scheduled_job.h"

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

constexpr uint64_t kLargestFile = 1 << 20;

std::filesystem::path file_in(const std::filesystem::path& directory) { return directory / "schedule.json"; }

Error malformed(const std::filesystem::path& path, std::string_view problem) {
    return Error(ErrorCode::corrupt_object, formatted("malformed file \"{}\": {}", path.native(), problem)).object(path.native());
}

Result<EnabledSchedules> parse(std::string_view text, const std::filesystem::path& path) {
    const Json json = parse_json(text);
    if (!json.is_object()) return malformed(path, "it is no JSON object");
    // The JSON library reports what it cannot read by exception; here is where that becomes a value.
    try {
        EnabledSchedules schedules;
        for (const auto& [job, entry] : json.items()) {
            const Result<TimePoint> since = parse_time(entry.at("enabled_since").get<std::string>());
            if (!since.ok()) return malformed(path, since.error().message());
            schedules[job] = {entry.at("schedule").get<std::string>(), entry.at("timezone").get<std::string>(), *since};
        }
        return schedules;
    } catch (const Json::exception& problem) {
        return malformed(path, problem.what());
    }
}

}  // namespace

EnabledSchedules take_over(const EnabledSchedules& known, const EnabledSchedules& set_now, TimePoint now) {
    EnabledSchedules result;
    for (const auto& [job, schedule] : set_now) {
        const auto before = known.find(job);
        const bool same = before != known.end() && before->second.expression == schedule.expression && before->second.timezone == schedule.timezone;
        result[job] = {schedule.expression, schedule.timezone, same ? before->second.since : now};
    }
    return result;
}

Result<EnabledSchedules> read_enabled_schedules(const std::filesystem::path& directory) {
    const std::filesystem::path path = file_in(directory);
    const Result<Bytes> content = read_file(path, kLargestFile);
    if (content.ok()) return parse(as_text(*content), path);
    if (content.error().code() == ErrorCode::not_found) return EnabledSchedules{};
    return content.error();
}

Result<void> write_enabled_schedules(const std::filesystem::path& directory, const EnabledSchedules& schedules) {
    Json json = Json::object();
    for (const auto& [job, schedule] : schedules)
        json[job] = {{"schedule", schedule.expression}, {"timezone", schedule.timezone}, {"enabled_since", format_time(schedule.since)}};
    TRY(create_directories_durably(directory));
    return write_file_durably(file_in(directory), as_bytes(render_json(json, JsonStyle::kIndented) + "\n"));
}

}  // namespace steward
