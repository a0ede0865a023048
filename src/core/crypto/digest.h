// Digests of content. Not authentication: that is encryption's job (docs/decisions/0003-digests.md).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace steward {

/// XXH3-128 in its canonical (big-endian) form: 16 bytes.
struct Digest {
    std::array<std::byte, 16> bytes{};

    auto operator<=>(const Digest&) const = default;
};

/// Digest of `content`, seed 0.
Digest digest_of(ByteView content);

/// 64 bits of the same: for comparing many small pieces, each with one other, where a whole digest a piece would be too much to keep.
uint64_t short_digest_of(ByteView content);

/// "xxh3:" and 32 lowercase hexadecimal digits.
std::string to_string(const Digest& digest);

/// Parse what to_string wrote. Errors: corrupt_object.
Result<Digest> parse_digest(std::string_view text);

/// SHA-256 of `content` as 64 lowercase hexadecimal digits: what PostgreSQL's backup_manifest ends with.
std::string sha256_hex(ByteView content);

}  // namespace steward
