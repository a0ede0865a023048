#include "core/postgres/sql_quoting.h"

#include <algorithm>

#include "core/base/format.h"

namespace steward {

namespace {

bool is_control(char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }

}  // namespace

std::string quote_sql_identifier(std::string_view name) {
    const bool escaped = std::ranges::any_of(name, is_control);
    std::string quoted = escaped ? "U&\"" : "\"";
    for (const char c : name) {
        if (escaped && is_control(c)) {
            quoted += formatted("\\{:04X}", static_cast<unsigned char>(c));
            continue;
        }
        if (c == '"' || (escaped && c == '\\')) quoted += c;
        quoted += c;
    }
    return quoted + '"';
}

std::string quote_sql_literal(std::string_view text) {
    const bool escaped = std::ranges::any_of(text, [](char c) { return c == '\\' || is_control(c); });
    std::string quoted = escaped ? "E'" : "'";
    for (const char c : text) {
        if (is_control(c)) {
            quoted += formatted("\\x{:02X}", static_cast<unsigned char>(c));
            continue;
        }
        if (c == '\'' || c == '\\') quoted += c;
        quoted += c;
    }
    return quoted + '\'';
}

}  // namespace steward
