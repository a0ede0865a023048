#include "core/postgres/crc32c.h"

#include <gtest/gtest.h>

#include <random>

namespace steward {
namespace {

Bytes random_bytes(size_t size, unsigned seed) {
    std::mt19937 random(seed);
    Bytes bytes(size);
    for (auto& b : bytes) b = static_cast<std::byte>(random());
    return bytes;
}

/// By the definition, a bit at a time.
uint32_t slow_crc32c(ByteView bytes) {
    uint32_t reg = 0xFFFFFFFF;
    for (const std::byte b : bytes) {
        reg ^= std::to_integer<uint32_t>(b);
        for (int bit = 0; bit < 8; bit++) reg = (reg >> 1) ^ ((reg & 1) ? 0x82F63B78 : 0);
    }
    return ~reg;
}

TEST(Crc32c, HasTheStandardCheckValue) {
    EXPECT_EQ(crc32c(as_bytes("123456789")), 0xE3069283u);
    EXPECT_EQ(crc32c({}), 0u);
    EXPECT_EQ(crc32c({}, 0x12345678), 0x12345678u);
}

TEST(Crc32c, AgreesWithTheDefinitionAndGoesOn) {
    for (unsigned size = 0; size < 300; size += 7) {
        const Bytes bytes = random_bytes(size, size);
        EXPECT_EQ(crc32c(bytes), slow_crc32c(bytes));
        const ByteView view(bytes);
        EXPECT_EQ(crc32c(view.subspan(size / 3), crc32c(view.first(size / 3))), crc32c(view));
    }
}

TEST(Crc32c, CombinesWithoutTheContent) {
    for (unsigned size = 0; size < 5000; size += 61) {
        const Bytes bytes = random_bytes(size, size);
        const ByteView a = ByteView(bytes).first(size / 2), b = ByteView(bytes).subspan(size / 2);
        EXPECT_EQ(crc32c_combine(crc32c(a), crc32c(b), b.size()), crc32c(bytes));
    }
    EXPECT_EQ(crc32c_combine(0xCAFEBABE, 0, 0), 0xCAFEBABEu);
}

TEST(Crc32c, CombinesAssociativelyOverHugeLengths) {
    const uint64_t huge = uint64_t{1} << 45;
    const uint32_t left = crc32c_combine(crc32c_combine(1, 2, huge), 3, huge + 12345);
    const uint32_t right = crc32c_combine(1, crc32c_combine(2, 3, huge + 12345), huge + huge + 12345);
    EXPECT_EQ(left, right);
}

TEST(Crc32cOfZeros, EqualsThatOfZerosInMemory) {
    for (const size_t length : {0u, 1u, 7u, 8192u, 100003u}) {
        const std::string zeros(length, '\0');
        EXPECT_EQ(crc32c_of_zeros(length), crc32c(as_bytes(zeros))) << length;
    }
}

}  // namespace
}  // namespace steward
