// libpq's connection strings, as far as they must be made and checked without libpq.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/base/result.h"

namespace steward {

/// Render "name=value" pairs, separated by spaces, each value quoted where it has to be. Pairs with an empty value are left out.
std::string render_connection_string(std::span<const std::pair<std::string, std::string>> parameters);

/// Check that libpq can read `text`, "name=value" pairs (conninfo_parse in fe-connect.c) or a URI, and that no password stands in it:
/// command lines and configuration files are read by many. Does not know which names there are. Errors: invalid_argument, which does not
/// repeat the text; with a hint where it has a password.
Result<void> check_connection_string(std::string_view text);

}  // namespace steward
