// Positions in the write-ahead log.
#pragma once

#include <fmt/core.h>

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace steward {

/// A byte position in the write-ahead log of one timeline (src/include/access/xlogdefs.h, XLogRecPtr). Zero is
/// PostgreSQL's "no position": no record ever starts there.
struct Lsn {
    uint64_t value = 0;

    constexpr auto operator<=>(const Lsn&) const = default;
    constexpr bool valid() const { return value != 0; }

    constexpr Lsn operator+(uint64_t bytes) const { return {value + bytes}; }
    constexpr Lsn operator-(uint64_t bytes) const { return {value - bytes}; }
    /// Bytes from `other` to this; `other` is not after this.
    constexpr uint64_t operator-(Lsn other) const { return value - other.value; }
};

/// "0/3000028": what PostgreSQL 13 to 18 print. 19 pads the second half to eight digits; parse_lsn reads both.
std::string to_string(Lsn lsn);

/// Parse "X/X", each half one to eight hexadecimal digits of either case, as pg_lsn's input function does
/// (src/backend/utils/adt/pg_lsn.c). Nothing may surround it. Errors: invalid_argument.
Result<Lsn> parse_lsn(std::string_view text);

}  // namespace steward

template <>
struct fmt::formatter<steward::Lsn> : fmt::formatter<std::string_view> {
    template <typename Context>
    auto format(steward::Lsn lsn, Context& context) const {
        return fmt::formatter<std::string_view>::format(steward::to_string(lsn), context);
    }
};
