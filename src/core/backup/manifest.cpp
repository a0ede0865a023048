#include "core/backup/manifest.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <iterator>
#include <limits>
#include <optional>
#include <unordered_set>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/base/json.h"

namespace steward {

namespace {

/// `"name":"text"`, or `"name_hex":"..."` where the text is no valid UTF-8.
std::string text_member(std::string_view name, const std::string& text) {
    const std::optional<std::string> quoted = quote_json(text);
    return quoted ? formatted(R"("{}":{})", name, *quoted) : formatted(R"("{}_hex":"{}")", name, to_hex(as_bytes(text)));
}

/// File lines are most of a manifest, and a tree of JSON values for each would be most of the time it takes.
void render_file(const ManifestFile& file, std::string& out) {
    const auto end = std::back_inserter(out);
    fmt::format_to(end, R"({{"type":"file",{},"size":{},"mode":{},"modified":"{}",)", text_member("path", file.path), file.size, file.mode,
                   format_time(file.modified));
    if (file.crc32c) fmt::format_to(end, R"("crc32c":"{:08x}",)", *file.crc32c);
    if (file.digest) fmt::format_to(end, R"("digest":"{}",)", to_string(*file.digest));
    out += "\"runs\":[";
    for (size_t i = 0; i < file.runs.size(); ++i) {
        const ManifestRun& run = file.runs[i];
        fmt::format_to(end, "{}[{},{},{},{}]", i == 0 ? "" : ",", run.offset, run.length, run.pack, run.pack_offset);
    }
    out += "]}\n";
}

Error malformed(size_t line, std::string detail) {
    return Error(ErrorCode::corrupt_object, formatted("line {} of the manifest is malformed", line)).detail(std::move(detail));
}

std::optional<std::string> from_hex(const std::string& digits) {
    if (digits.size() % 2 != 0) return std::nullopt;
    std::string text;
    for (size_t i = 0; i < digits.size(); i += 2) {
        unsigned char value = 0;
        const auto [end, problem] = std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
        if (problem != std::errc() || end != digits.data() + i + 2) return std::nullopt;
        text += static_cast<char>(value);
    }
    return text;
}

/// Members of one line. Reading goes on after a problem, with zeros: the first one is remembered, and asked for at the end.
class Line {
public:
    Line(std::string_view text, size_t number) : number_(number), json_(parse_json(text)) {
        if (!json_.is_object()) fail("It is no JSON object.");
    }

    std::string text(const std::string& name) {
        if (const Json* plain = find(name); plain != nullptr && plain->is_string()) return plain->get<std::string>();
        if (const Json* hex = find(name + "_hex"); hex != nullptr && hex->is_string()) {
            if (std::optional<std::string> decoded = from_hex(hex->get<std::string>())) return std::move(*decoded);
        }
        fail(formatted("Text \"{}\" is missing or of the wrong type.", name));
        return {};
    }

    template <typename T>
    T number(const std::string& name) {
        const Json* member = find(name);
        return static_cast<T>(number_in(member != nullptr ? *member : Json(), formatted("\"{}\"", name), std::numeric_limits<T>::max()));
    }

    TimePoint time(const std::string& name) {
        const Result<TimePoint> parsed = parse_time(text(name));
        if (parsed.ok()) return *parsed;
        fail(formatted("\"{}\" is no time.", name));
        return {};
    }

    std::optional<uint32_t> crc(const std::string& name) {
        if (find(name) == nullptr) return std::nullopt;
        const std::string digits = text(name);
        uint32_t value = 0;
        const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
        if (digits.size() != 8 || problem != std::errc() || end != digits.data() + 8) fail(formatted("\"{}\" is not eight hexadecimal digits.", name));
        return value;
    }

    std::optional<Digest> digest(const std::string& name) {
        if (find(name) == nullptr) return std::nullopt;
        const Result<Digest> parsed = parse_digest(text(name));
        if (!parsed.ok()) fail(formatted("\"{}\" is no digest.", name));
        return parsed.ok() ? std::optional(*parsed) : std::nullopt;
    }

    std::vector<ManifestRun> runs(const std::string& name) {
        std::vector<ManifestRun> runs;
        const Json* member = find(name);
        if (member == nullptr || !member->is_array()) {
            fail(formatted("Array \"{}\" is missing.", name));
            return runs;
        }
        runs.reserve(member->size());
        for (const Json& run : *member) {
            if (!run.is_array() || run.size() != 4) {
                fail("A run is not four numbers.");
                return runs;
            }
            constexpr uint64_t kAny = std::numeric_limits<uint64_t>::max();
            runs.push_back({.offset = number_in(run[0], "A run's offset", kAny),
                            .length = number_in(run[1], "A run's length", kAny),
                            .pack = static_cast<uint32_t>(number_in(run[2], "A run's pack", std::numeric_limits<uint32_t>::max())),
                            .pack_offset = number_in(run[3], "A run's offset in its pack", kAny)});
        }
        return runs;
    }

    bool has(const std::string& name) const { return find(name) != nullptr; }

    void fail(std::string detail) {
        if (!problem_) problem_ = malformed(number_, std::move(detail));
    }
    Result<void> outcome() const {
        if (problem_) return *problem_;
        return {};
    }

private:
    const Json* find(const std::string& name) const {
        if (!json_.is_object()) return nullptr;
        const auto member = json_.find(name);
        return member == json_.end() ? nullptr : &*member;
    }

    uint64_t number_in(const Json& value, std::string_view what, uint64_t largest) {
        if (value.is_number_unsigned() && value.get<uint64_t>() <= largest) return value.get<uint64_t>();
        fail(formatted("{} is missing or out of range.", what));
        return 0;
    }

    size_t number_;
    Json json_;
    std::optional<Error> problem_;
};

/// Whether joining `path` to a directory stays below it.
bool is_safe_path(std::string_view path) {
    if (path.find('\0') != std::string_view::npos) return false;
    for (size_t begin = 0; begin <= path.size();) {
        const size_t end = std::min(path.find('/', begin), path.size());
        const std::string_view part = path.substr(begin, end - begin);
        if (part.empty() || part == "." || part == "..") return false;
        begin = end + 1;
    }
    return true;
}

class ManifestParser {
public:
    Result<Manifest> parse(std::string_view content) {
        size_t number = 0;
        while (!content.empty()) {
            const size_t newline = content.find('\n');
            if (newline == std::string_view::npos) return malformed(number + 1, "The manifest ends within it.");
            TRY(take(content.substr(0, newline), ++number));
            content.remove_prefix(newline + 1);
        }
        if (!ended_) return malformed(number + 1, "The manifest has no end line: it is truncated.");
        return std::move(manifest_);
    }

private:
    Result<void> take(std::string_view text, size_t number) {
        if (ended_) return malformed(number, "It follows the end line.");
        if (number == 1) {
            Result<BackupSummary> summary = parse_summary(text);
            if (!summary.ok()) return malformed(number, formatted("{}.", summary.error().message()));
            manifest_.summary = std::move(summary).value();
            return {};
        }
        Line line(text, number);
        const std::string type = line.text("type");
        TRY(line.outcome());
        if (type == "file") {
            take_file(line);
        } else if (type == "directory") {
            manifest_.directories.push_back({line.text("path"), line.number<uint32_t>("mode")});
            check_path(line, manifest_.directories.back().path);
        } else if (type == "pack") {
            take_pack(line);
        } else if (type == "tablespace") {
            manifest_.tablespaces.push_back({line.number<uint32_t>("oid"), line.text("location")});
        } else if (type == "label") {
            manifest_.backup_label = line.text("backup_label");
            manifest_.tablespace_map = line.text("tablespace_map");
        } else if (type == "end") {
            ended_ = true;
            if (line.number<uint64_t>("files") != manifest_.files.size()) line.fail("It counts another number of files than there are.");
        } else {
            line.fail(formatted("Its type \"{}\" is unknown.", type));
        }
        return line.outcome();
    }

    void take_pack(Line& line) {
        ManifestPack pack;
        pack.set = line.text("set");
        pack.number = line.number<unsigned>("number");
        pack.length = line.number<uint64_t>("length");
        pack.stored = line.number<uint64_t>("stored");
        if (line.has("table")) pack.table = line.number<uint64_t>("table");
        if (pack.table > pack.length) line.fail("Its table of page digests is beyond its end.");
        manifest_.packs.push_back(std::move(pack));
    }

    void take_file(Line& line) {
        ManifestFile file;
        file.path = line.text("path");
        file.size = line.number<uint64_t>("size");
        file.mode = line.number<uint32_t>("mode");
        file.modified = line.time("modified");
        file.crc32c = line.crc("crc32c");
        file.digest = line.digest("digest");
        file.runs = line.runs("runs");
        check_path(line, file.path);
        check_runs(line, file);
        manifest_.files.push_back(std::move(file));
    }

    void check_path(Line& line, const std::string& path) {
        if (!is_safe_path(path))
            line.fail("Its path is not below the data directory.");
        else if (!paths_.insert(path).second)
            line.fail("Its path appears twice.");
    }

    void check_runs(Line& line, const ManifestFile& file) {
        uint64_t position = 0;
        for (const ManifestRun& run : file.runs) {
            if (run.length == 0 || run.offset < position) return line.fail("Its runs are empty or out of order.");
            if (run.offset > file.size || run.length > file.size - run.offset) return line.fail("A run is beyond the file's size.");
            if (run.pack >= manifest_.packs.size()) return line.fail("A run is in a pack that is not listed.");
            const uint64_t pack_length = manifest_.packs[run.pack].data_length();
            if (run.pack_offset > pack_length || run.length > pack_length - run.pack_offset) return line.fail("A run is beyond its pack.");
            position = run.offset + run.length;
        }
    }

    Manifest manifest_;
    std::unordered_set<std::string> paths_;
    bool ended_ = false;
};

}  // namespace

std::string render_manifest(const Manifest& manifest) {
    std::string out = render_summary(manifest.summary) + "\n";
    const auto end = std::back_inserter(out);
    fmt::format_to(end, "{{\"type\":\"label\",{},{}}}\n", text_member("backup_label", manifest.backup_label),
                   text_member("tablespace_map", manifest.tablespace_map));
    for (const ManifestPack& pack : manifest.packs) {
        fmt::format_to(end, R"({{"type":"pack",{},"number":{},"length":{},"stored":{})", text_member("set", pack.set), pack.number, pack.length,
                       pack.stored);
        if (pack.table != 0) fmt::format_to(end, R"(,"table":{})", pack.table);
        out += "}\n";
    }
    for (const ManifestTablespace& tablespace : manifest.tablespaces)
        fmt::format_to(end, "{{\"type\":\"tablespace\",\"oid\":{},{}}}\n", tablespace.oid, text_member("location", tablespace.location));
    for (const ManifestDirectory& directory : manifest.directories)
        fmt::format_to(end, "{{\"type\":\"directory\",{},\"mode\":{}}}\n", text_member("path", directory.path), directory.mode);
    for (const ManifestFile& file : manifest.files) render_file(file, out);
    fmt::format_to(end, "{{\"type\":\"end\",\"files\":{}}}\n", manifest.files.size());
    return out;
}

Result<Manifest> parse_manifest(std::string_view content) { return ManifestParser().parse(content); }

}  // namespace steward
