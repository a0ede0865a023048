#include "core/protocol/frame.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace steward {
namespace {

TEST(Frame, IsTheLengthAndTheText) { EXPECT_EQ(to_hex(as_bytes(encode_frame("{}"))), "020000007b7d"); }

TEST(FrameDecoder, PutsFramesTogetherFromSingleBytes) {
    const std::vector<std::string> texts = {"{\"type\":\"hello\"}", "", std::string(1000, 'x'), std::string("a\0b", 3)};
    std::string wire;
    for (const std::string& text : texts) wire += encode_frame(text);
    FrameDecoder decoder;
    std::vector<std::string> found;
    for (const char c : wire) {
        decoder.feed(as_bytes(std::string_view(&c, 1)));
        const auto next = decoder.next();
        ASSERT_TRUE(next.ok());
        if (*next) found.push_back(**next);
    }
    EXPECT_EQ(found, texts);
    EXPECT_FALSE(decoder.next()->has_value());
}

TEST(FrameDecoder, GivesEveryFrameOfOnePiece) {
    FrameDecoder decoder;
    std::string wire;
    for (int i = 0; i < 1000; ++i) wire += encode_frame(std::to_string(i));
    decoder.feed(as_bytes(wire));
    for (int i = 0; i < 1000; ++i) ASSERT_EQ(decoder.next()->value_or("nothing"), std::to_string(i));
    EXPECT_FALSE(decoder.next()->has_value());
}

TEST(FrameDecoder, RefusesFramesThatAreTooLong) {
    FrameDecoder decoder;
    decoder.feed(as_bytes(std::string_view("\x01\x00\x00\x01", 4)));
    const auto next = decoder.next();
    ASSERT_FALSE(next.ok());
    EXPECT_EQ(next.error().code(), ErrorCode::engine_failed);
    EXPECT_EQ(next.error().message(), "message of 16777217 bytes on the engine's socket");
}

TEST(FrameDecoder, TakesTheLongestFrame) {
    FrameDecoder decoder;
    decoder.feed(as_bytes(encode_frame(std::string(kMaxFrameText, 'x'))));
    EXPECT_EQ(decoder.next()->value_or("").size(), kMaxFrameText);
}

}  // namespace
}  // namespace steward
