#include "core/upgrade/carry_configuration.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/postgres/configuration.h"

namespace steward {

namespace {

std::string_view take_line(std::string_view& text) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    return line;
}

std::string in_lowercase(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

/// The setting that a line sets; empty for comments, and for what is not understood.
std::string name_set_by(std::string_view line) {
    const auto entries = parse_configuration(line, "");
    return entries.ok() && entries->size() == 1 ? entries->front().name : std::string();
}

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view kBlanks = " \t\r\n";
    text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size()));
    return text.substr(0, text.find_last_not_of(kBlanks) + 1);
}

}  // namespace

RefusedSettings read_refused_settings(std::string_view messages) {
    constexpr std::string_view kParameter = "parameter \"";
    RefusedSettings refused;
    while (!messages.empty()) {
        std::string_view line = take_line(messages);
        const size_t found = line.find(kParameter);
        if (found == line.npos) continue;
        const std::string_view rest = line.substr(found + kParameter.size());
        const size_t end = rest.find('"');
        if (end == rest.npos) continue;
        const size_t severity = line.find(":  ");
        if (severity != line.npos && severity < found) line.remove_prefix(severity + 3);
        // Where the setting stands changes with every line that is added.
        refused.try_emplace(in_lowercase(rest.substr(0, end)), line.substr(0, line.find(" in file \"")));
    }
    return refused;
}

std::string fatal_message(std::string_view messages) {
    constexpr std::string_view kLabel = "FATAL:  ";
    const size_t label = messages.find(kLabel);
    if (label != messages.npos) messages.remove_prefix(label + kLabel.size());
    return std::string(messages.substr(0, messages.find('\n')));
}

CommentedText comment_out(std::string_view text, const RefusedSettings& refused) {
    CommentedText commented;
    for (int number = 1; !text.empty(); ++number) {
        const bool ended = text.find('\n') != text.npos;
        const std::string_view line = take_line(text);
        const auto found = refused.find(name_set_by(line));
        if (found != refused.end()) {
            commented.text += formatted("# pg_steward: {}\n#", found->second);
            commented.changes.push_back(formatted("line {}, {}: {}", number, found->first, found->second));
        }
        commented.text += line;
        if (ended) commented.text += '\n';
    }
    return commented;
}

std::string preload_without_steward(std::string_view value) {
    std::string kept;
    while (!value.empty()) {
        const std::string_view item = value.substr(0, value.find(','));
        value.remove_prefix(std::min(value.size(), item.size() + 1));
        const std::string_view library = trimmed(item);
        if (library.empty() || library.find("pg_steward") != library.npos) continue;
        kept += formatted("{}{}", kept.empty() ? "" : ",", library);
    }
    return kept;
}

bool can_be_server_option(std::string_view text) { return text.find_first_of("'\"\\$`\n") == text.npos; }

}  // namespace steward
