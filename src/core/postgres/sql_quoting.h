// Names and texts as parts of SQL statements, whatever they hold.
#pragma once

#include <string>
#include <string_view>

namespace steward {

/// Quote a name: its quotes doubled, and where it holds control characters as U&"..." with these escaped. So no statement is ended by what
/// a name holds, not even where lines end statements (postgres --single), and it can be shown on a terminal. Bytes above ASCII stay as they
/// are. `name` holds no zero byte and is not empty. Pure.
std::string quote_sql_identifier(std::string_view name);

/// Quote a text: 'it''s', and E'...' where it holds backslashes or control characters; it means the same whatever
/// standard_conforming_strings is. `text` holds no zero byte. Pure.
std::string quote_sql_literal(std::string_view text);

}  // namespace steward
