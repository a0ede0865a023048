#include "core/permissions/change_list.h"

#include <charconv>
#include <optional>

#include "core/base/format.h"

namespace steward {

namespace {

std::string escape(std::string_view path) {
    std::string text;
    for (const char c : path) {
        if (c == '\\') text += "\\\\";
        else if (c == '\n') text += "\\n";
        else if (c == '\r') text += "\\r";
        else text += c;
    }
    return text;
}

std::optional<std::string> unescape(std::string_view text) {
    std::string path;
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '\\') {
            path += text[i];
            continue;
        }
        if (++i == text.size()) return std::nullopt;
        if (text[i] == '\\') path += '\\';
        else if (text[i] == 'n') path += '\n';
        else if (text[i] == 'r') path += '\r';
        else return std::nullopt;
    }
    return path;
}

/// Take a number and the blank after it off the front.
template <typename Number>
bool take(std::string_view& text, Number& number, int base = 10) {
    const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (problem != std::errc() || end == text.data() + text.size() || *end != ' ') return false;
    text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
    return true;
}

bool take_rights(std::string_view& text, FileRights& rights) {
    return take(text, rights.user) && take(text, rights.group) && take(text, rights.mode, 8) && rights.mode <= 07777;
}

}  // namespace

bool RightsChange::fits(const FileRights& rights) const {
    const bool owner = (rights.user == before.user && rights.group == before.group) || (rights.user == after.user && rights.group == after.group);
    // Giving a file away may take its set-ID bits.
    const mode_t bits = rights.mode & 0777;
    return owner && (bits == (before.mode & 0777) || bits == (after.mode & 0777));
}

RightsChange change_of(const Finding& finding) {
    return {finding.file.path, finding.file.rights, *finding.change, finding.file.device, finding.file.inode};
}

std::string render_change(const RightsChange& change) {
    return formatted("{} {} {:04o} {} {} {:04o} {} {} {}\n", change.before.user, change.before.group, change.before.mode, change.after.user,
                     change.after.group, change.after.mode, change.device, change.inode, escape(change.path));
}

Result<RightsChange> parse_change(std::string_view line) {
    RightsChange change;
    std::string_view text = line;
    if (take_rights(text, change.before) && take_rights(text, change.after) && take(text, change.device) && take(text, change.inode))
        if (auto path = unescape(text); path && path->starts_with('/') && path->find('\0') == std::string::npos) {
            change.path = std::move(*path);
            return change;
        }
    return Error(ErrorCode::corrupt_object, formatted("could not read line \"{}\" of a list of changed permissions", line));
}

}  // namespace steward
