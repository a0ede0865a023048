#include "core/repository/backup_summary.h"

#include <charconv>

#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

/// Reads typed members; remembers the first problem, so that a reader can be written as one list.
class Members {
public:
    explicit Members(const Json& json) : json_(json) {}

    template <typename T>
    void read(const char* name, T& value) {
        if (!problem_.empty()) return;
        const auto member = json_.find(name);
        try {
            if (member == json_.end())
                problem_ = formatted("\"{}\" is missing", name);
            else
                member->get_to(value);
        } catch (const Json::exception&) {
            problem_ = formatted("\"{}\" is of the wrong type", name);
        }
    }
    void read(const char* name, Lsn& value) {
        read_parsed(name, value, [](const std::string& text) { return parse_lsn(text); });
    }
    void read(const char* name, TimePoint& value) {
        read_parsed(name, value, [](const std::string& text) { return parse_time(text); });
    }
    void read_number_text(const char* name, uint64_t& value) {
        read_parsed(name, value, [](const std::string& text) -> Result<uint64_t> {
            uint64_t number = 0;
            const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (failure != std::errc() || end != text.data() + text.size()) return Error(ErrorCode::corrupt_object, "not a number");
            return number;
        });
    }
    const std::string& problem() const { return problem_; }

private:
    template <typename T, typename Parse>
    void read_parsed(const char* name, T& value, Parse parse) {
        std::string text;
        read(name, text);
        if (!problem_.empty()) return;
        const auto parsed = parse(text);
        if (parsed.ok())
            value = *parsed;
        else
            problem_ = formatted("\"{}\" is malformed", name);
    }

    const Json& json_;
    std::string problem_;
};

}  // namespace

std::string render_summary(const BackupSummary& s) {
    Json json = {
        {"type", "backup"},
        {"label", s.label},
        // As text: readers whose numbers are doubles would round it.
        {"system_identifier", std::to_string(s.system_identifier)},
        {"postgresql_major", s.major},
        {"server_version", s.server_version},
        {"steward_version", s.steward_version},
        {"timeline", s.timeline},
        {"stop_timeline", s.stop_timeline},
        {"start_lsn", to_string(s.start_lsn)},
        {"stop_lsn", to_string(s.stop_lsn)},
        {"wal_segment_size", s.wal_segment_size},
        {"started", format_time(s.started)},
        {"stopped", format_time(s.stopped)},
        {"from_standby", s.from_standby},
        {"data_checksums", s.data_checksums},
        {"files", s.files},
        {"data_bytes", s.data_bytes},
        {"repository_bytes", s.repository_bytes},
        {"checksum_failures", s.checksum_failures},
    };
    // Members that came with version 2.
    if (!s.base.empty()) json["base"] = s.base;
    if (s.read_bytes != 0) json["read_bytes"] = s.read_bytes;
    if (s.last_full_read) json["last_full_read"] = format_time(*s.last_full_read);
    return render_json(json);
}

Result<BackupSummary> parse_summary(std::string_view line) {
    const Json json = parse_json(line);
    BackupSummary s;
    std::string type;
    Members members(json);
    if (!json.is_object()) return Error(ErrorCode::corrupt_object, "manifest does not begin with a summary");
    members.read("type", type);
    members.read("label", s.label);
    members.read_number_text("system_identifier", s.system_identifier);
    members.read("postgresql_major", s.major);
    members.read("server_version", s.server_version);
    members.read("steward_version", s.steward_version);
    members.read("timeline", s.timeline);
    members.read("stop_timeline", s.stop_timeline);
    members.read("start_lsn", s.start_lsn);
    members.read("stop_lsn", s.stop_lsn);
    members.read("wal_segment_size", s.wal_segment_size);
    members.read("started", s.started);
    members.read("stopped", s.stopped);
    members.read("from_standby", s.from_standby);
    members.read("data_checksums", s.data_checksums);
    members.read("files", s.files);
    members.read("data_bytes", s.data_bytes);
    members.read("repository_bytes", s.repository_bytes);
    members.read("checksum_failures", s.checksum_failures);
    if (json.contains("base")) members.read("base", s.base);
    if (json.contains("read_bytes")) members.read("read_bytes", s.read_bytes);
    if (json.contains("last_full_read")) members.read("last_full_read", s.last_full_read.emplace());
    if (!members.problem().empty()) return Error(ErrorCode::corrupt_object, "summary of a backup is malformed: " + members.problem());
    if (type != "backup") return Error(ErrorCode::corrupt_object, "manifest does not begin with a summary");
    return s;
}

}  // namespace steward
