#include "core/base/json.h"

namespace steward {

Json parse_json(std::string_view text) { return Json::parse(text, nullptr, false); }

std::string render_json(const Json& json, JsonStyle style) {
    constexpr int kNoNewlines = -1, kSpaces = 2;
    return json.dump(style == JsonStyle::kLine ? kNoNewlines : kSpaces, ' ', false, Json::error_handler_t::replace);
}

std::optional<std::string> quote_json(std::string_view text) {
    // The library reports invalid UTF-8 by exception; here is where that becomes a value.
    try {
        return Json(text).dump();
    } catch (const Json::type_error&) {
        return std::nullopt;
    }
}

}  // namespace steward
