#include "core/postgres/backup_label.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "core/base/format.h"

namespace steward {

namespace {

Error bad_label(std::string detail) {
    return Error(ErrorCode::corrupt_object, "invalid data in backup label").object("backup_label").detail(std::move(detail));
}

Error bad_line(std::string_view name, std::string_view value) {
    return bad_label(formatted("The line \"{}\" has the value \"{}\".", name, value.substr(0, 200)));
}

Result<Lsn> parse_position(std::string_view name, std::string_view value) {
    auto lsn = parse_lsn(value);
    if (!lsn.ok()) return bad_line(name, value);
    return lsn;
}

Result<TimelineId> parse_timeline(std::string_view name, std::string_view value) {
    TimelineId timeline = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), timeline);
    if (error != std::errc() || end != value.data() + value.size() || timeline == 0) return bad_line(name, value);
    return timeline;
}

struct WalLocation {
    Lsn lsn;
    std::string segment;
};

/// "0/3000028 (file 000000010000000000000003)".
Result<WalLocation> parse_wal_location(std::string_view name, std::string_view value) {
    constexpr std::string_view kFile = " (file ";
    const size_t file = value.find(kFile);
    if (file == std::string_view::npos || !value.ends_with(')')) return bad_line(name, value);
    std::string_view segment = value.substr(file + kFile.size());
    segment.remove_suffix(1);
    if (classify_wal_file(segment) != WalFileKind::kSegment) return bad_line(name, value);
    TRY_ASSIGN(const Lsn lsn, parse_position(name, value.substr(0, file)));
    return WalLocation{lsn, std::string(segment)};
}

TimelineId timeline_of(std::string_view segment) {
    TimelineId timeline = 0;
    std::from_chars(segment.data(), segment.data() + 8, timeline, 16);
    return timeline;
}

Result<void> apply_line(BackupLabel& label, std::string_view name, std::string_view value) {
    if (name == "START WAL LOCATION") {
        TRY_ASSIGN(WalLocation location, parse_wal_location(name, value));
        label.start_lsn = location.lsn;
        label.start_segment = std::move(location.segment);
    } else if (name == "STOP WAL LOCATION") {
        TRY_ASSIGN(WalLocation location, parse_wal_location(name, value));
        label.stop_lsn = location.lsn;
        label.stop_segment = std::move(location.segment);
    } else if (name == "CHECKPOINT LOCATION") {
        TRY_ASSIGN(label.checkpoint_lsn, parse_position(name, value));
    } else if (name == "BACKUP METHOD") {
        label.method = value;
    } else if (name == "BACKUP FROM") {
        label.from = value;
    } else if (name == "START TIME") {
        label.start_time = value;
    } else if (name == "LABEL") {
        label.label = value;
    } else if (name == "START TIMELINE") {
        TRY_ASSIGN(label.start_timeline, parse_timeline(name, value));
    } else if (name == "STOP TIME") {
        label.stop_time = value;
    } else if (name == "STOP TIMELINE") {
        TRY_ASSIGN(label.stop_timeline, parse_timeline(name, value));
    } else if (name == "INCREMENTAL FROM LSN") {
        TRY_ASSIGN(label.incremental_from, parse_position(name, value));
    } else if (name == "INCREMENTAL FROM TLI") {
        TRY_ASSIGN(label.incremental_from_timeline, parse_timeline(name, value));
    }
    return {};
}

}  // namespace

Result<BackupLabel> parse_backup_label(std::string_view text) {
    constexpr std::string_view kSeparator = ": ";
    BackupLabel label;
    std::set<std::string_view> seen;
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (line.ends_with('\r')) line.remove_suffix(1);
        const size_t separator = line.find(kSeparator);
        if (separator == std::string_view::npos) continue;
        const std::string_view name = line.substr(0, separator);
        // A label may hold a newline and pretend to be further lines; the genuine ones then come a second time.
        if (!seen.insert(name).second) return bad_label(formatted("The line \"{}\" appears twice.", name.substr(0, 200)));
        TRY(apply_line(label, name, line.substr(separator + kSeparator.size())));
    }
    if (label.start_segment.empty()) return bad_label("The line \"START WAL LOCATION\" is missing.");
    if (!label.checkpoint_lsn.valid()) return bad_label("The line \"CHECKPOINT LOCATION\" is missing.");
    const TimelineId named = timeline_of(label.start_segment);
    if (label.start_timeline != 0 && label.start_timeline != named)
        return bad_label(formatted("The start is on timeline {}, its segment on timeline {}.", label.start_timeline, named));
    label.start_timeline = named;
    return label;
}

Result<std::vector<TablespaceMapping>> parse_tablespace_map(std::string_view text) {
    std::vector<TablespaceMapping> mappings;
    size_t position = 0;
    while (position < text.size()) {
        std::string line;
        bool ended = false;
        for (; position < text.size() && !ended; position++) {
            const char c = text[position];
            if (c == '\\' && position + 1 < text.size()) line += text[++position];
            else if (c == '\n' || c == '\r') ended = true;
            else line += c;
        }
        const size_t blank = line.find(' ');
        TablespaceMapping mapping;
        const auto [end, error] = std::from_chars(line.data(), line.data() + std::min(blank, line.size()), mapping.tablespace);
        if (!ended || blank == std::string::npos || blank + 1 == line.size() || error != std::errc() ||
            end != line.data() + blank || mapping.tablespace == 0)
            return Error(ErrorCode::corrupt_object,
                         formatted("invalid data in file \"tablespace_map\", entry {}", mappings.size() + 1))
                .object("tablespace_map");
        mapping.location = line.substr(blank + 1);
        mappings.push_back(std::move(mapping));
    }
    return mappings;
}

std::string render_tablespace_map(const std::vector<TablespaceMapping>& mappings) {
    std::string text;
    for (const auto& mapping : mappings) {
        text += formatted("{} ", mapping.tablespace);
        for (const char c : mapping.location) {
            if (c == '\n' || c == '\r' || c == '\\') text += '\\';
            text += c;
        }
        text += '\n';
    }
    return text;
}

}  // namespace steward
