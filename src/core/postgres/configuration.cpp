#include "core/postgres/configuration.h"

#include <algorithm>
#include <system_error>

#include "core/base/bytes.h"
#include "core/base/file.h"
#include "core/base/format.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr int kDeepestInclude = 10;  // CONF_FILE_MAX_DEPTH, src/include/utils/conffiles.h
constexpr uint64_t kLargestFile = 16 * 1024 * 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

std::string in_lowercase(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

/// Reads one line from left to right.
class LineScanner {
public:
    explicit LineScanner(std::string_view line) : rest_(line) {}

    /// Pass over blanks and, at the end of what is said, a comment.
    void skip_blanks() {
        rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\f\v"), rest_.size()));
        if (rest_.starts_with('#')) rest_ = {};
    }

    bool at_end() const { return rest_.empty(); }
    std::string_view rest() const { return rest_; }

    void skip_equals() {
        if (rest_.starts_with('=')) rest_.remove_prefix(1);
    }

    /// A name, plain or of an extension ("steward.repository"), in lowercase; empty when there is none.
    std::string take_name() {
        size_t length = identifier_length(rest_);
        if (length != 0 && length < rest_.size() && rest_[length] == '.') {
            const size_t second = identifier_length(rest_.substr(length + 1));
            if (second != 0) length += 1 + second;
        }
        return in_lowercase(take(length));
    }

    /// A value, bare or quoted; nothing when there is none or its quote is not closed.
    std::optional<std::string> take_value() {
        if (rest_.starts_with('\'')) return take_quoted();
        // A bare word begins with a letter and then may have "-._:/"; a number has a sign, digits, a point, an exponent, a unit.
        size_t length = 0;
        const bool word = !rest_.empty() && is_letter(rest_[0]);
        const std::string_view extra = word ? "-._:/" : ".+-";
        while (length < rest_.size() &&
               (is_letter(rest_[length]) || is_digit(rest_[length]) || extra.find(rest_[length]) != extra.npos))
            length++;
        if (length == 0 || (!word && rest_.substr(0, length).find_first_of("0123456789") == rest_.npos)) return std::nullopt;
        return std::string(take(length));
    }

private:
    static size_t identifier_length(std::string_view text) {
        size_t length = 0;
        while (length < text.size() &&
               (is_letter(text[length]) || (length != 0 && (is_digit(text[length]) || text[length] == '$'))))
            length++;
        return length;
    }

    std::string_view take(size_t length) {
        const std::string_view taken = rest_.substr(0, length);
        rest_.remove_prefix(taken.size());
        return taken;
    }

    /// DeescapeQuotedString of guc-file.l.
    std::optional<std::string> take_quoted() {
        std::string value;
        size_t i = 1;
        for (; i < rest_.size(); i++) {
            if (rest_[i] == '\'') {
                if (i + 1 == rest_.size() || rest_[i + 1] != '\'') break;
                value += '\'';
                i++;
            } else if (rest_[i] == '\\') {
                if (++i == rest_.size()) return std::nullopt;
                value += take_escape(i);
            } else {
                value += rest_[i];
            }
        }
        if (i >= rest_.size()) return std::nullopt;
        rest_.remove_prefix(i + 1);
        return value;
    }

    /// The character that the escape at `i`, after its backslash, stands for; leaves `i` at its last character.
    char take_escape(size_t& i) const {
        switch (rest_[i]) {
            case 'b': return '\b';
            case 'f': return '\f';
            case 'n': return '\n';
            case 'r': return '\r';
            case 't': return '\t';
            default: break;
        }
        const auto is_octal = [&](size_t at) { return at < rest_.size() && rest_[at] >= '0' && rest_[at] <= '7'; };
        if (!is_octal(i)) return rest_[i];
        int code = rest_[i] - '0';
        for (int more = 0; more < 2 && is_octal(i + 1); more++) code = code * 8 + (rest_[++i] - '0');
        return static_cast<char>(code);
    }

    std::string_view rest_;
};

/// Cut the next line off `text`, without its newline.
std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(line.size() + 1, text.size()));
    return line;
}

Result<void> read_with_includes(const fs::path& file, int depth, bool required, ServerConfiguration& settings);

Result<void> read_included_directory(const fs::path& directory, int depth, ServerConfiguration& settings) {
    std::error_code error;
    std::vector<fs::path> files;
    for (fs::directory_iterator entry(directory, error), end; !error && entry != end; entry.increment(error)) {
        const std::string name = entry->path().filename().native();
        if (name.starts_with('.') || !name.ends_with(".conf") || name == ".conf") continue;
        std::error_code ignored;
        if (!entry->is_directory(ignored)) files.push_back(entry->path());
    }
    if (error)
        return Error::from_errno(error.value(), formatted("could not open configuration directory \"{}\"", directory.native()))
            .object(directory.native());
    std::sort(files.begin(), files.end());
    for (const auto& file : files) TRY(read_with_includes(file, depth, true, settings));
    return {};
}

Result<void> apply_entry(const ConfigurationEntry& entry, const fs::path& file, int depth, ServerConfiguration& settings) {
    const fs::path included = file.parent_path() / entry.value;  // an absolute value replaces the directory
    if (entry.name == "include") return read_with_includes(included, depth + 1, true, settings);
    if (entry.name == "include_if_exists") return read_with_includes(included, depth + 1, false, settings);
    if (entry.name == "include_dir") return read_included_directory(included, depth + 1, settings);
    settings[entry.name] = entry.value;
    return {};
}

Result<void> read_with_includes(const fs::path& file, int depth, bool required, ServerConfiguration& settings) {
    if (depth > kDeepestInclude)
        return Error(ErrorCode::configuration,
                     formatted("could not open configuration file \"{}\": maximum nesting depth exceeded", file.native()))
            .object(file.native())
            .hint("Look for a file that includes itself.");
    auto content = read_file(file, kLargestFile);
    if (!content.ok()) {
        if (content.error().code() != ErrorCode::not_found) return std::move(content).error();
        if (!required) return {};
        return Error(ErrorCode::configuration,
                     formatted("could not open configuration file \"{}\": No such file or directory", file.native()))
            .object(file.native());
    }
    TRY_ASSIGN(const auto entries, parse_configuration(as_text(*content), file.native()));
    for (const auto& entry : entries)
        TRY(apply_entry(entry, file, depth, settings).context([&] {
            return formatted("while reading file \"{}\", line {}", file.native(), entry.line);
        }));
    return {};
}

}  // namespace

Result<std::vector<ConfigurationEntry>> parse_configuration(std::string_view text, std::string_view file_name) {
    std::vector<ConfigurationEntry> entries;
    for (int line = 1; !text.empty(); line++) {
        LineScanner scanner(take_line(text));
        scanner.skip_blanks();
        if (scanner.at_end()) continue;
        const auto bad_syntax = [&](std::string_view near) {
            return Error(ErrorCode::configuration,
                         formatted("syntax error in file \"{}\" line {}, near \"{}\"", file_name, line, near.substr(0, 80)))
                .object(std::string(file_name));
        };
        const std::string_view whole = scanner.rest();
        std::string name = scanner.take_name();
        if (name.empty()) return bad_syntax(whole);
        scanner.skip_blanks();
        scanner.skip_equals();
        scanner.skip_blanks();
        const std::string_view from_value = scanner.at_end() ? whole : scanner.rest();
        auto value = scanner.take_value();
        if (!value) return bad_syntax(from_value);
        scanner.skip_blanks();
        if (!scanner.at_end()) return bad_syntax(scanner.rest());
        entries.push_back({std::move(name), std::move(*value), line});
    }
    return entries;
}

Result<ServerConfiguration> read_configuration_file(const fs::path& file) {
    ServerConfiguration settings;
    TRY(read_with_includes(file, 0, false, settings));
    return settings;
}

Result<ServerConfiguration> read_server_configuration(const fs::path& data_directory) {
    TRY_ASSIGN(ServerConfiguration settings, read_configuration_file(data_directory / "postgresql.conf"));
    TRY(read_with_includes(data_directory / "postgresql.auto.conf", 0, false, settings));
    return settings;
}

std::string quote_configuration_value(std::string_view value) {
    std::string quoted = "'";
    for (const char c : value) {
        switch (c) {
            case '\'': quoted += "''"; break;
            case '\\': quoted += "\\\\"; break;
            case '\n': quoted += "\\n"; break;
            case '\r': quoted += "\\r"; break;
            default: quoted += c;
        }
    }
    return quoted + "'";
}

std::string render_configuration(const ServerConfiguration& settings) {
    std::string text;
    for (const auto& [name, value] : settings) text += formatted("{} = {}\n", name, quote_configuration_value(value));
    return text;
}

std::string set_configuration(std::string_view text, const ConfigurationChanges& changes) {
    std::string changed;
    while (!text.empty()) {
        const std::string_view from_line = text;
        LineScanner scanner(take_line(text));
        scanner.skip_blanks();
        if (!changes.contains(scanner.take_name())) changed += from_line.substr(0, from_line.size() - text.size());
    }
    for (const auto& [name, value] : changes) {
        if (!value) continue;
        if (!changed.empty() && changed.back() != '\n') changed += '\n';
        changed += formatted("{} = {}\n", name, quote_configuration_value(*value));
    }
    return changed;
}

}  // namespace steward
