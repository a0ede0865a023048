#include "core/base/bytes.h"

#include <charconv>
#include <iterator>

#include "core/base/format.h"

namespace steward {

std::string to_hex(ByteView bytes) {
    static constexpr char kDigits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (std::byte b : bytes) {
        text.push_back(kDigits[std::to_integer<unsigned>(b) >> 4]);
        text.push_back(kDigits[std::to_integer<unsigned>(b) & 15]);
    }
    return text;
}

Result<Bytes> from_hex(std::string_view text) {
    const auto malformed = [] { return Error(ErrorCode::invalid_argument, "malformed hexadecimal digits"); };
    if (text.size() % 2 != 0) return malformed();
    Bytes bytes(text.size() / 2);
    for (size_t i = 0; i < bytes.size(); ++i) {
        uint8_t value = 0;
        const char* first = text.data() + 2 * i;
        const auto [end, problem] = std::from_chars(first, first + 2, value, 16);
        if (problem != std::errc() || end != first + 2) return malformed();
        bytes[i] = std::byte{value};
    }
    return bytes;
}

std::string pretty_size(uint64_t bytes) {
    static constexpr const char* kUnits[] = {"kB", "MB", "GB", "TB"};
    if (bytes < 10 * 1024) return formatted("{} bytes", bytes);
    double value = static_cast<double>(bytes) / 1024;
    size_t unit = 0;
    while (value >= 1024 && unit + 1 < std::size(kUnits)) {
        value /= 1024;
        ++unit;
    }
    return formatted("{:.1f} {}", value, kUnits[unit]);
}

}  // namespace steward
