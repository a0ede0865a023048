#include "core/crypto/digest.h"

#include <openssl/sha.h>
#include <xxhash.h>

#include <algorithm>
#include <cstring>

#include "core/crypto/xxh3_avx2.h"

#include "core/base/format.h"

namespace steward {

static constexpr std::string_view kPrefix = "xxh3:";

/// What is compiled for every machine, against what this one has.
static XXH128_hash_t hash(ByteView content) {
    static const bool has_avx2 = xxh3_has_avx2();
    if (!has_avx2) return XXH3_128bits(content.data(), content.size());
    const Xxh3Hash wide = xxh3_128_avx2(content);
    return {wide.low, wide.high};
}

Digest digest_of(ByteView content) {
    XXH128_canonical_t canonical;
    XXH128_canonicalFromHash(&canonical, hash(content));
    Digest digest;
    std::memcpy(digest.bytes.data(), canonical.digest, digest.bytes.size());
    return digest;
}

uint64_t short_digest_of(ByteView content) { return hash(content).low64; }

std::string to_string(const Digest& digest) { return std::string(kPrefix) + to_hex(digest.bytes); }

Result<Digest> parse_digest(std::string_view text) {
    const Error malformed = Error(ErrorCode::corrupt_object, formatted("malformed digest \"{}\"", text));
    if (!text.starts_with(kPrefix) || text.size() != kPrefix.size() + 32) return malformed;
    text.remove_prefix(kPrefix.size());
    const Result<Bytes> bytes = from_hex(text);
    if (!bytes.ok()) return malformed;
    Digest digest;
    std::ranges::copy(*bytes, digest.bytes.begin());
    return digest;
}

std::string sha256_hex(ByteView content) {
    std::array<std::byte, SHA256_DIGEST_LENGTH> out;
    SHA256(reinterpret_cast<const unsigned char*>(content.data()), content.size(), reinterpret_cast<unsigned char*>(out.data()));
    return to_hex(out);
}

}  // namespace steward
