#include "core/postgres/connection_string.h"

#include <algorithm>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";

bool is_secret(std::string_view name) { return name == "password" || name == "sslpassword"; }

Error bad(std::string_view why) { return Error(ErrorCode::invalid_argument, formatted("invalid connection string: {}", why)); }

Error has_password() {
    return bad("there is a password in it")
        .hint("Leave it out, and put it into the password file (.pgpass) of the server's user, or name one with \"passfile\".");
}

void skip_blanks(std::string_view& text) { text.remove_prefix(std::min(text.find_first_not_of(kBlanks), text.size())); }

/// Take a value, quoted or bare, off the front. Returns false when its quote does not end.
bool skip_value(std::string_view& text) {
    const bool quoted = text.starts_with('\'');
    if (quoted) text.remove_prefix(1);
    while (!text.empty()) {
        const char c = text.front();
        if (quoted ? c == '\'' : kBlanks.find(c) != std::string_view::npos) break;
        // A backslash takes the next character, whatever it is; at the end of the text there is none.
        text.remove_prefix(std::min<size_t>(c == '\\' ? 2 : 1, text.size()));
    }
    if (!quoted) return true;
    if (text.empty()) return false;
    text.remove_prefix(1);
    return true;
}

Result<void> check_pairs(std::string_view text) {
    for (skip_blanks(text); !text.empty(); skip_blanks(text)) {
        const std::string_view name = text.substr(0, text.find_first_of(" \t\n\r\f\v="));
        text.remove_prefix(name.size());
        skip_blanks(text);
        if (name.empty() || !text.starts_with('=')) return bad("a name without \"=\"");
        if (is_secret(name)) return has_password();
        text.remove_prefix(1);
        skip_blanks(text);
        if (!skip_value(text)) return bad("a quote that does not end");
    }
    return {};
}

/// What follows the scheme of a URI: [user[:password]@][hosts][/database][?name=value[&...]].
Result<void> check_uri(std::string_view text) {
    const std::string_view authority = text.substr(0, text.find_first_of("/?"));
    if (const size_t at = authority.find('@'); at != std::string_view::npos && authority.substr(0, at).find(':') != std::string_view::npos) return has_password();
    const size_t question = text.find('?');
    if (question == std::string_view::npos) return {};
    for (std::string_view rest = text.substr(question + 1); !rest.empty();) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        if (is_secret(pair.substr(0, pair.find('=')))) return has_password();
        // A name may be written with escapes: then it is not worth decoding, since no name needs one.
        if (pair.substr(0, pair.find('=')).find('%') != std::string_view::npos) return bad("an escape in a parameter's name");
        rest.remove_prefix(std::min(pair.size() + 1, rest.size()));
    }
    return {};
}

std::string quote(std::string_view value) {
    if (!value.empty() && value.find_first_of(" \t\n\r\f\v'\\") == std::string_view::npos) return std::string(value);
    std::string quoted = "'";
    for (const char c : value) {
        if (c == '\'' || c == '\\') quoted += '\\';
        quoted += c;
    }
    return quoted + "'";
}

}  // namespace

std::string render_connection_string(std::span<const std::pair<std::string, std::string>> parameters) {
    std::string text;
    for (const auto& [name, value] : parameters) {
        if (value.empty()) continue;
        if (!text.empty()) text += ' ';
        text += formatted("{}={}", name, quote(value));
    }
    return text;
}

Result<void> check_connection_string(std::string_view text) {
    for (const std::string_view scheme : {"postgresql://", "postgres://"})
        if (text.starts_with(scheme)) return check_uri(text.substr(scheme.size()));
    return check_pairs(text);
}

}  // namespace steward
