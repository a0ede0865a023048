#include "core/codec/compression.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace steward {
namespace {

Bytes text_of(size_t size) {
    Bytes bytes(size);
    for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<std::byte>("pg_steward keeps what you write. "[i % 33] + static_cast<int>(i / 4096 % 3));
    return bytes;
}

Bytes noise_of(size_t size) {
    std::mt19937 generator(20261120);
    Bytes bytes(size);
    for (std::byte& b : bytes) b = static_cast<std::byte>(generator());
    return bytes;
}

Result<Bytes> restored(Codec codec, ByteView stored, size_t plain_size) {
    Bytes plain(plain_size);
    FrameDecompressor decompressor;
    TRY(decompressor.restore(codec, stored, plain));
    return plain;
}

TEST(Compression, RestoresEveryLevel) {
    const Bytes plain = text_of(50000);
    for (int level = 1; level <= 19; level += 3) {
        FrameCompressor compressor({Codec::kZstd, level});
        Bytes stored;
        const size_t size = compressor.append(plain, stored);
        EXPECT_EQ(size, stored.size());
        EXPECT_LT(stored.size(), plain.size() / 10) << level;
        EXPECT_EQ(*restored(Codec::kZstd, stored, plain.size()), plain) << level;
    }
}

TEST(Compression, InStepsRestoresEveryLength) {
    for (const Bytes& content : {text_of(256 * 1024), noise_of(256 * 1024)}) {
        FrameCompressor compressor({Codec::kZstd, 3}, Pace::yielding());
        for (const size_t length : {size_t{1}, Pace::kHeavyStep - 1, Pace::kHeavyStep, Pace::kHeavyStep + 1, 5 * Pace::kHeavyStep, content.size()}) {
            const ByteView plain = ByteView(content).first(length);
            Bytes stored;
            const size_t size = compressor.append(plain, stored);
            EXPECT_EQ(size, stored.size());
            EXPECT_LE(size, length);
            EXPECT_EQ(*restored(Codec::kZstd, stored, length), Bytes(plain.begin(), plain.end())) << length;
        }
    }
}

TEST(Compression, InStepsFindsWhatAnEarlierStepHeld) {
    const Bytes step = noise_of(Pace::kHeavyStep);
    Bytes plain;
    for (int i = 0; i < 8; ++i) plain.insert(plain.end(), step.begin(), step.end());
    Bytes stored;
    EXPECT_LT(FrameCompressor({Codec::kZstd, 3}, Pace::yielding()).append(plain, stored), step.size() * 5 / 4);
}

TEST(Compression, AppendsFramesThatRestoreByThemselves) {
    FrameCompressor compressor({Codec::kZstd, 3});
    Bytes stored = to_bytes("before");
    const size_t first = compressor.append(text_of(9000), stored);
    const size_t second = compressor.append(text_of(100), stored);
    ASSERT_EQ(stored.size(), 6 + first + second);
    EXPECT_EQ(as_text(ByteView(stored).first(6)), "before");
    EXPECT_EQ(*restored(Codec::kZstd, ByteView(stored).subspan(6 + first), 100), text_of(100));
    EXPECT_EQ(*restored(Codec::kZstd, ByteView(stored).subspan(6, first), 9000), text_of(9000));
}

TEST(Compression, GivesContentAfterNoiseTheLevelAskedFor) {
    const auto frame = [](unsigned seed) {
        std::mt19937 generator(seed);
        Bytes words;
        while (words.size() < 60'000) {
            const Bytes word = to_bytes("word" + std::to_string(generator() % 3000) + " ");
            words.insert(words.end(), word.begin(), word.end());
        }
        return words;
    };
    FrameCompressor fresh({Codec::kZstd, 12}), fast({Codec::kZstd, 1}), used({Codec::kZstd, 12});
    Bytes stored;
    const size_t expected = fresh.append(frame(1), stored);
    ASSERT_LT(expected, fast.append(frame(1), stored));
    for (int i = 0; i < 100; ++i) {
        const size_t before = stored.size();
        const size_t size = used.append(noise_of(8000), stored);
        EXPECT_EQ(*restored(Codec::kZstd, ByteView(stored).subspan(before, size), 8000), noise_of(8000));
        if (i % 10 != 9) continue;
        const size_t begin = stored.size();
        ASSERT_EQ(used.append(frame(1), stored), expected) << i;
        EXPECT_EQ(*restored(Codec::kZstd, ByteView(stored).subspan(begin, expected), frame(1).size()), frame(1));
    }
}

TEST(Compression, StoresWithoutCodecAsItIs) {
    FrameCompressor compressor({Codec::kNone, 0});
    Bytes stored;
    EXPECT_EQ(compressor.append(text_of(100), stored), 100u);
    EXPECT_EQ(stored, text_of(100));
    EXPECT_EQ(*restored(Codec::kNone, stored, 100), text_of(100));
}

TEST(Compression, StoresWhatDoesNotShrinkAsItIs) {
    FrameCompressor compressor({Codec::kZstd, 19});
    for (const size_t size : {0, 1, 10, 70000}) {
        Bytes stored;
        EXPECT_EQ(compressor.append(noise_of(size), stored), size);
        EXPECT_EQ(stored, noise_of(size));
        EXPECT_EQ(*restored(Codec::kZstd, stored, size), noise_of(size));
    }
}

TEST(Compression, RefusesFramesCutOff) {
    const Bytes plain = text_of(5000);
    Bytes stored;
    FrameCompressor({Codec::kZstd, 3}).append(plain, stored);
    for (size_t size = 0; size < stored.size(); ++size) {
        const auto result = restored(Codec::kZstd, ByteView(stored).first(size), plain.size());
        ASSERT_FALSE(result.ok()) << size;
        EXPECT_EQ(result.error().code(), ErrorCode::corrupt_object);
    }
}

TEST(Compression, RefusesFramesOfAnotherLength) {
    Bytes stored;
    FrameCompressor({Codec::kZstd, 3}).append(text_of(5000), stored);
    EXPECT_EQ(restored(Codec::kZstd, stored, 4999).error().code(), ErrorCode::corrupt_object);
    EXPECT_EQ(restored(Codec::kZstd, stored, 5001).error().message(), "frame holds 5000 bytes instead of 5001");
    EXPECT_EQ(restored(Codec::kNone, stored, 5000).error().message(), "stored frame has a wrong size");
}

TEST(Compression, NeverReadsBeyondDamage) {
    const Bytes plain = text_of(3000);
    Bytes stored;
    FrameCompressor({Codec::kZstd, 3}).append(plain, stored);
    // Some bits of a zstd frame mean nothing: damage is an error or harmless here, and the frame's digest tells the rest.
    for (size_t at = 0; at < stored.size(); ++at) {
        Bytes damaged = stored;
        damaged[at] ^= std::byte{0xFF};
        const auto result = restored(Codec::kZstd, damaged, plain.size());
        if (!result.ok()) {
            EXPECT_EQ(result.error().code(), ErrorCode::corrupt_object) << at;
        }
    }
}

TEST(ParseCompression, ReadsWhatItRenders) {
    EXPECT_EQ(to_string(*parse_compression("none")), "none");
    EXPECT_EQ(to_string(*parse_compression("zstd")), "zstd:3");
    for (int level = 1; level <= 19; ++level) {
        const std::string text = "zstd:" + std::to_string(level);
        EXPECT_EQ(to_string(*parse_compression(text)), text);
    }
}

TEST(ParseCompression, RefusesNonsense) {
    for (const char* text : {"", "gzip", "ZSTD", "zstd:", "zstd:0", "zstd:20", "zstd:-1", "zstd:3 ", "zstd: 3", "zstd:3x", "none:1", "zstd:99999999999"}) {
        const auto result = parse_compression(text);
        ASSERT_FALSE(result.ok()) << text;
        EXPECT_EQ(result.error().code(), ErrorCode::invalid_argument);
        EXPECT_EQ(result.error().message(), "unknown compression \"" + std::string(text) + "\"");
        EXPECT_FALSE(result.error().hint().empty());
    }
}

}  // namespace
}  // namespace steward
