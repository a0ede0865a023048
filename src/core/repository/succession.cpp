#include "core/repository/succession.h"

#include <algorithm>
#include <charconv>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

constexpr uint64_t kLargestMark = 1 << 20;

Error malformed() { return Error(ErrorCode::corrupt_object, "malformed mark of succession"); }

/// As text, because readers that take numbers for floating point would round it.
Result<uint64_t> parse_identifier(const Json& json) {
    const auto text = json.get<std::string>();
    uint64_t identifier = 0;
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), identifier);
    if (problem != std::errc() || end != text.data() + text.size() || identifier == 0) return malformed();
    return identifier;
}

Result<Predecessor> parse_predecessor(const Json& json) {
    Predecessor predecessor;
    TRY_ASSIGN(predecessor.system_identifier, parse_identifier(json.at("system_identifier")));
    predecessor.major = json.value("postgresql_major", 0);
    if (const auto end = json.find("end"); end != json.end()) {
        predecessor.timeline = json.at("timeline").get<uint32_t>();
        const Result<Lsn> lsn = parse_lsn(end->get<std::string>());
        if (!lsn.ok()) return malformed();
        predecessor.end = *lsn;
    }
    return predecessor;
}

Result<Succession> parse_fields(const Json& json) {
    Succession succession;
    TRY_ASSIGN(succession.system_identifier, parse_identifier(json.at("system_identifier")));
    succession.major = json.value("postgresql_major", 0);
    const Result<TimePoint> time = parse_time(json.at("time").get<std::string>());
    if (!time.ok()) return malformed();
    succession.time = *time;
    for (const Json& each : json.at("predecessors")) {
        TRY_ASSIGN(const Predecessor predecessor, parse_predecessor(each));
        succession.predecessors.push_back(predecessor);
    }
    return succession;
}

}  // namespace

std::string render_succession(const Succession& succession) {
    Json json = {{"system_identifier", std::to_string(succession.system_identifier)},
                 {"postgresql_major", succession.major},
                 {"time", format_time(succession.time)},
                 {"predecessors", Json::array()}};
    for (const Predecessor& predecessor : succession.predecessors) {
        Json entry = {{"system_identifier", std::to_string(predecessor.system_identifier)}, {"postgresql_major", predecessor.major}};
        if (predecessor.end.valid()) entry.update({{"timeline", predecessor.timeline}, {"end", to_string(predecessor.end)}});
        json["predecessors"].push_back(std::move(entry));
    }
    return render_json(json, JsonStyle::kIndented) + "\n";
}

Result<Succession> parse_succession(std::string_view text) {
    const Json json = parse_json(text);
    // The JSON library reports missing and mistyped members by exception; here is where that becomes a value.
    try {
        if (json.is_object()) return parse_fields(json);
    } catch (const Json::exception&) {
    }
    return malformed();
}

Succession succeed(const Predecessor& last, const std::optional<Succession>& before, uint64_t system_identifier, int major, TimePoint now) {
    Succession succession{system_identifier, major, now, {}};
    const auto add = [&](const Predecessor& predecessor) {
        auto& known = succession.predecessors;
        const bool is_known = std::ranges::find(known, predecessor.system_identifier, &Predecessor::system_identifier) != known.end();
        if (!is_known && predecessor.system_identifier != system_identifier) known.push_back(predecessor);
    };
    add(last);
    for (const Predecessor& earlier : predecessors_of(last.system_identifier, before)) add(earlier);
    return succession;
}

std::vector<Predecessor> predecessors_of(uint64_t system_identifier, const std::optional<Succession>& mark) {
    return mark && mark->system_identifier == system_identifier ? mark->predecessors : std::vector<Predecessor>();
}

Result<std::optional<Succession>> read_succession(const std::filesystem::path& data_directory) {
    const std::filesystem::path file = data_directory / kSuccessionFile;
    const Result<Bytes> content = read_file(file, kLargestMark);
    if (!content.ok() && content.error().code() == ErrorCode::not_found) return std::optional<Succession>();
    if (!content.ok()) return content.error();
    Result<Succession> succession = parse_succession(as_text(*content));
    if (succession.ok()) return std::optional(std::move(succession).value());
    return std::move(succession)
        .error()
        .context(formatted("while reading file \"{}\"", file.native()))
        .hint("Write it anew with \"pg_steward succeed\", or remove it if this cluster goes on for no other.")
        .object(file.native());
}

Result<void> write_succession(const std::filesystem::path& data_directory, const Succession& succession) {
    const std::filesystem::path file = data_directory / kSuccessionFile;
    TRY(create_directories_durably(file.parent_path()));
    return write_file_durably(file, as_bytes(render_succession(succession)));
}

}  // namespace steward
