// What "postgres --single" prints of a query's rows.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace steward {

/// One row, in the order of its columns; NULL is nothing.
using SingleUserRow = std::vector<std::optional<std::string>>;

/// Parse rows of `columns` columns out of the standard output of a single-user server (printtup.c, debugtup, 13 to 19).
///
/// The server prints values as they are, newlines and quotes too, and so any value could look like the rows after it. Hence every value here
/// is hexadecimal (as of "encode(bytea, 'hex')"), and what is returned is decoded. Prompts and the server's greeting are passed over.
/// Errors: server_raised when it is anything else. Pure.
Result<std::vector<SingleUserRow>> parse_single_user_rows(std::string_view output, size_t columns);

/// Return a server's messages without those parts that quote statements, which may hold what is not for a log: CONTEXT, QUERY and STATEMENT, each
/// with the indented lines that continue it. Pure.
std::string without_statements(std::string_view messages);

}  // namespace steward
