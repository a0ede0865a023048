#include "core/crypto/digest.h"

#include <gtest/gtest.h>
#include <xxhash.h>

#include <string>

#include "core/base/format.h"
#include "core/crypto/xxh3_avx2.h"

namespace steward {
namespace {

/// The buffer of xxHash's own sanity checks (XSUM_fillTestBuffer).
Bytes sanity_buffer(size_t size) {
    uint64_t generator = 2654435761u;
    Bytes bytes(size);
    for (std::byte& b : bytes) {
        b = static_cast<std::byte>(generator >> 56);
        generator *= 11400714785074694797u;
    }
    return bytes;
}

TEST(Digest, IsXxh3AsItsAuthorsPublishIt) {
    // Seed 0, from xxHash's list of sanity values: length, low half, high half. Each length takes another path in it.
    constexpr struct {
        size_t size;
        uint64_t low, high;
    } kPublished[] = {
        {0, 0x6001C324468D497F, 0x99AA06D3014798D8},    {1, 0xC44BDFF4074EECDB, 0xA6CD5E9392000F6A},
        {6, 0x3E7039BDDA43CFC6, 0x082AFE0B8162D12A},    {12, 0x061A192713F69AD9, 0x6E3EFD8FC7802B18},
        {24, 0x1E7044D28B1B901D, 0x0CE966E4678D3761},   {48, 0xF942219AED80F67B, 0xA002AC4E5478227E},
        {81, 0x5E8BAFB9F95FB803, 0x4952F58181AB0042},   {222, 0xF1AEBD597CEC6B3A, 0x337E09641B948717},
        {403, 0xCDEB804D65C6DEA4, 0x1B6DE21E332DD73D},  {2048, 0xDD59E2C3A5F038E0, 0xF736557FD47073A5},
    };
    for (const auto& published : kPublished)
        EXPECT_EQ(to_string(digest_of(sanity_buffer(published.size))), formatted("xxh3:{:016x}{:016x}", published.high, published.low)) << published.size;
}

// Sizes up to 4096 run through every path of the algorithm; the large ones are frames.
TEST(Digest, IsTheSameWithWiderVectors) {
    if (!xxh3_has_avx2()) GTEST_SKIP() << "this machine has no AVX2";
    const Bytes content = sanity_buffer(300'000);
    for (size_t size = 0; size <= content.size(); size += size < 4096 ? 1 : 36'987) {
        const XXH128_hash_t plain = XXH3_128bits(content.data(), size);
        const Xxh3Hash wide = xxh3_128_avx2(ByteView(content).first(size));
        ASSERT_EQ(wide.low, plain.low64) << size;
        ASSERT_EQ(wide.high, plain.high64) << size;
    }
}

TEST(Digest, ReadsWhatItRenders) {
    const Digest digest = digest_of(as_bytes("content"));
    EXPECT_EQ(*parse_digest(to_string(digest)), digest);
}

TEST(Digest, RefusesMalformedTexts) {
    const std::string good = to_string(digest_of({}));
    for (const std::string& text : {std::string(), good.substr(5), good + "0", good.substr(0, good.size() - 1), "xxh4" + good.substr(4),
                                    "xxh3:" + std::string(32, 'g'), "xxh3:" + std::string(31, '0') + " ", "xxh3:-1" + std::string(30, '0')}) {
        const auto result = parse_digest(text);
        ASSERT_FALSE(result.ok()) << text;
        EXPECT_EQ(result.error().code(), ErrorCode::corrupt_object);
    }
}

TEST(Sha256, GivesTheStandardsValues) {
    // FIPS 180-4 examples.
    EXPECT_EQ(sha256_hex({}), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    EXPECT_EQ(sha256_hex(as_bytes("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    EXPECT_EQ(sha256_hex(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")),
              "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

}  // namespace
}  // namespace steward
