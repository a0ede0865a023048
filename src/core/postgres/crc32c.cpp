#include "core/postgres/crc32c.h"

#include <isa-l/crc.h>

#include <algorithm>

namespace steward {

uint32_t crc32c(ByteView bytes, uint32_t crc) {
    // ISA-L works on the bare register: the inversions before and after are ours. Its length is an int, and its prototype
    // forgot the const (2.30); it only reads.
    constexpr size_t kMostAtOnce = size_t{1} << 30;
    uint32_t reg = ~crc;
    while (!bytes.empty()) {
        const size_t length = std::min(bytes.size(), kMostAtOnce);
        auto* place = const_cast<unsigned char*>(reinterpret_cast<const unsigned char*>(bytes.data()));
        reg = ::crc32_iscsi(place, static_cast<int>(length), reg);
        bytes = bytes.subspan(length);
    }
    return ~reg;
}

namespace {

// Polynomials over GF(2) modulo the Castagnoli polynomial, bit-reflected as the CRC itself: the highest bit is x^0.
constexpr uint32_t kCastagnoli = 0x82F63B78;
constexpr uint32_t kOne = uint32_t{1} << 31;
constexpr uint32_t kXToTheEighth = kOne >> 8;

uint32_t multiply(uint32_t a, uint32_t b) {
    uint32_t product = 0;
    for (uint32_t bit = kOne; bit != 0; bit >>= 1) {
        if (a & bit) product ^= b;
        b = (b >> 1) ^ ((b & 1) ? kCastagnoli : 0);
    }
    return product;
}

}  // namespace

uint32_t crc32c_combine(uint32_t crc_a, uint32_t crc_b, uint64_t length_b) {
    // Appending n bytes multiplies what is there by x^(8n); the inversions of a and b cancel out.
    uint32_t shift = kOne;
    for (uint32_t power = kXToTheEighth; length_b != 0; length_b >>= 1) {
        if (length_b & 1) shift = multiply(shift, power);
        power = multiply(power, power);
    }
    return multiply(crc_a, shift) ^ crc_b;
}

uint32_t crc32c_of_zeros(uint64_t length) {
    constexpr std::byte kZero{0};
    uint32_t result = 0;
    uint32_t power = crc32c(ByteView(&kZero, 1));
    for (uint64_t power_length = 1; length > 0; power_length *= 2, length /= 2) {
        if (length % 2 != 0) result = crc32c_combine(result, power, power_length);
        power = crc32c_combine(power, power, power_length);
    }
    return result;
}

}  // namespace steward
