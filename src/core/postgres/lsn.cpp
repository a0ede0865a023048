#include "core/postgres/lsn.h"

#include <charconv>
#include <optional>

#include "core/base/format.h"

namespace steward {

namespace {

std::optional<uint32_t> parse_half(std::string_view digits) {
    if (digits.empty() || digits.size() > 8) return std::nullopt;
    uint32_t value = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
    if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
    return value;
}

}  // namespace

std::string to_string(Lsn lsn) {
    return formatted("{:X}/{:X}", lsn.value >> 32, lsn.value & 0xFFFFFFFF);
}

Result<Lsn> parse_lsn(std::string_view text) {
    const size_t slash = text.find('/');
    if (slash != std::string_view::npos) {
        const auto high = parse_half(text.substr(0, slash));
        const auto low = parse_half(text.substr(slash + 1));
        if (high && low) return Lsn{uint64_t{*high} << 32 | *low};
    }
    return Error(ErrorCode::invalid_argument, formatted("invalid LSN \"{}\"", text))
        .hint("An LSN is two hexadecimal numbers with a slash between them, for example \"0/3000028\".");
}

}  // namespace steward
