// Options of columns (ALTER TABLE ... ALTER COLUMN ... SET): asking for them, and taking them back.
#pragma once

#include <array>
#include <string>
#include <string_view>

namespace steward {

/// What to select to make ColumnOption of one database's columns, without the database: name, value, columns, example.
inline constexpr std::array<std::string_view, 4> kColumnOptionColumns = {"f.name", "f.value", "f.columns", "f.example"};

/// The rest of that query. Those of indexes are operator classes' and not asked for.
std::string_view column_option_query();

/// The statement that takes option `name` from all columns of a database that have it. Pure.
std::string reset_column_option(std::string_view name);

}  // namespace steward
