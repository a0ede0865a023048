#include "core/upgrade/journal.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

constexpr int kVersion = 1;

constexpr std::array<std::pair<JournalEvent, std::string_view>, 4> kEvents = {{
    {JournalEvent::kBegin, "begin"},
    {JournalEvent::kStep, "step"},
    {JournalEvent::kDone, "done"},
    {JournalEvent::kFailed, "failed"},
}};

/// Paths may be of any bytes, and JSON's texts may not.
std::string encode_path(const std::filesystem::path& path) { return to_hex(as_bytes(path.native())); }

Result<std::filesystem::path> decode_path(const Json& json) {
    TRY_ASSIGN(const Bytes bytes, from_hex(json.get<std::string>()));
    return std::filesystem::path(as_text(bytes));
}

Json render_request(const UpgradeRequest& request) {
    Json json = {{"data_directory_hex", encode_path(request.data_directory)},
                 {"from", request.from},
                 {"path", request.path},
                 {"method", name_of(request.method)},
                 {"bindirs_hex", Json::array()},
                 {"config_file_hex", encode_path(request.config_file)},
                 {"system_identifier", std::to_string(request.system_identifier)},
                 {"statistics", request.statistics},
                 {"jobs", request.jobs}};
    for (const std::filesystem::path& bindir : request.bindirs) json["bindirs_hex"].push_back(encode_path(bindir));
    return json;
}

Error not_understood(std::string_view what) { return Error(ErrorCode::corrupt_object, formatted("{} is not understood", what)); }

Result<UpgradeRequest> parse_request(const Json& json) {
    UpgradeRequest request;
    TRY_ASSIGN(request.data_directory, decode_path(json.at("data_directory_hex")));
    request.from = json.at("from").get<int>();
    request.path = json.at("path").get<std::vector<int>>();
    const auto method = parse_transfer_method(json.at("method").get<std::string>());
    if (!method) return not_understood("the method");
    request.method = *method;
    for (const Json& bindir : json.at("bindirs_hex")) {
        TRY_ASSIGN(std::filesystem::path path, decode_path(bindir));
        request.bindirs.push_back(std::move(path));
    }
    TRY_ASSIGN(request.config_file, decode_path(json.at("config_file_hex")));
    const std::string identifier = json.at("system_identifier").get<std::string>();
    std::from_chars(identifier.data(), identifier.data() + identifier.size(), request.system_identifier);
    request.statistics = json.at("statistics").get<bool>();
    request.jobs = json.at("jobs").get<int>();
    if (request.path.empty() || request.bindirs.size() != request.path.size() + 1) return not_understood("the path of majors");
    return request;
}

Result<JournalEntry> parse_fields(const Json& json) {
    JournalEntry entry;
    const auto* const event = std::ranges::find(kEvents, json.at("event").get<std::string>(), &decltype(kEvents)::value_type::second);
    if (event == kEvents.end()) return not_understood("the event");
    entry.event = event->first;
    TRY_ASSIGN(entry.at, parse_time(json.at("at").get<std::string>()));
    if (entry.event == JournalEvent::kBegin) {
        if (json.at("version").get<int>() > kVersion)
            return Error(ErrorCode::unsupported_format, "the journal is of a later release of pg_steward").hint("Go on with the program of that release.");
        TRY_ASSIGN(entry.request, parse_request(json.at("request")));
        return entry;
    }
    const auto step = parse_upgrade_step(json.at("step").get<std::string>());
    if (!step) return not_understood("the step");
    entry.step = {json.at("hop").get<int>(), *step};
    if (const auto facts = json.find("facts"); facts != json.end()) entry.facts = facts->get<std::map<std::string, std::string>>();
    return entry;
}

Result<JournalEntry> parse_line(std::string_view line) {
    const Json json = parse_json(line);
    if (!json.is_object()) return not_understood("the line");
    // What is missing or of another type throws, and nothing else does.
    try {
        return parse_fields(json);
    } catch (const Json::exception&) {
        return not_understood("a field");
    }
}

}  // namespace

std::string format_journal_entry(const JournalEntry& entry) {
    Json json = {{"event", std::ranges::find(kEvents, entry.event, &decltype(kEvents)::value_type::first)->second}, {"at", format_time(entry.at)}};
    if (entry.request) {
        json["version"] = kVersion;
        json["request"] = render_request(*entry.request);
    }
    if (entry.event != JournalEvent::kBegin) {
        json["hop"] = entry.step.hop;
        json["step"] = name_of(entry.step.step);
        if (!entry.facts.empty()) json["facts"] = entry.facts;
    }
    return render_json(json) + "\n";
}

size_t whole_lines(std::string_view text) {
    const size_t end = text.rfind('\n');
    return end == text.npos ? 0 : end + 1;
}

Result<std::vector<JournalEntry>> parse_journal(std::string_view text) {
    text = text.substr(0, whole_lines(text));
    std::vector<JournalEntry> entries;
    for (int number = 1; !text.empty(); ++number) {
        const std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(line.size() + 1);
        TRY_ASSIGN(JournalEntry entry, parse_line(line).context([&] { return formatted("while reading line {} of the journal", number); }));
        entries.push_back(std::move(entry));
    }
    return entries;
}

std::span<const JournalEntry> last_run(std::span<const JournalEntry> entries) {
    for (size_t i = entries.size(); i-- > 0;)
        if (entries[i].event == JournalEvent::kBegin) return entries.subspan(i);
    return {};
}

}  // namespace steward
