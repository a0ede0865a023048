// The wire between a worker of the server and its engine: length-prefixed JSON over one socketpair.
//
// A frame is 4 bytes little-endian length of the text, then that many bytes of UTF-8 JSON: one object with a member
// "type". The server side reads without blocking, the engine side with a thread of its own; both decode with FrameDecoder.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "core/base/bytes.h"
#include "core/base/result.h"

namespace steward {

/// Larger frames are a bug of the peer, not a message.
inline constexpr uint32_t kMaxFrameText = 16 * 1024 * 1024;

/// The bytes that carry `text`, which has at most kMaxFrameText bytes.
std::string encode_frame(std::string_view text);

/// Puts frames together from whatever pieces a socket yields.
class FrameDecoder {
public:
    void feed(ByteView bytes) { pending_.append(as_text(bytes)); }

    /// The next whole frame's text, or nothing yet. Errors: engine_failed when the peer does not speak this protocol.
    Result<std::optional<std::string>> next();

private:
    std::string pending_;
    size_t consumed_ = 0;
};

}  // namespace steward
