// JSON. One type of value for the whole project, which keeps the order of members, and one place that reads and writes it: the library's
// parser and writer are compiled once, in json.cpp, and not again in every file that has a record (a third of the time to compile such a one).
#pragma once

#include <nlohmann/json.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace steward {

/// Members that are missing or of another type are told by Json::exception; whoever reads what others wrote catches it.
using Json = nlohmann::ordered_json;

enum class JsonStyle {
    kLine,      ///< one line, without a newline
    kIndented,  ///< for people; without a newline at the end
};

/// Read one value. What is no JSON comes back as a value that is_discarded() and that is neither an object nor an array. Process context: any;
/// allocates.
Json parse_json(std::string_view text);

/// Write one value. Bytes that are not UTF-8 become replacement characters: texts for people may quote any. Process context: any; allocates.
std::string render_json(const Json& json, JsonStyle style = JsonStyle::kLine);

/// A text with its quotes; nothing when it is not UTF-8, which JSON cannot hold. Process context: any; allocates.
std::optional<std::string> quote_json(std::string_view text);

}  // namespace steward
