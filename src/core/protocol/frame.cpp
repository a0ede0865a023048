#include "core/protocol/frame.h"

#include "core/base/format.h"


namespace steward {

std::string encode_frame(std::string_view text) {
    std::string frame(4, '\0');
    store_le(reinterpret_cast<std::byte*>(frame.data()), static_cast<uint32_t>(text.size()));
    return frame.append(text);
}

Result<std::optional<std::string>> FrameDecoder::next() {
    const std::string_view rest = std::string_view(pending_).substr(consumed_);
    if (rest.size() < 4) return std::optional<std::string>();
    const auto length = load_le<uint32_t>(as_bytes(rest).data());
    if (length > kMaxFrameText)
        return Error(ErrorCode::engine_failed, formatted("message of {} bytes on the engine's socket", length));
    if (rest.size() - 4 < length) return std::optional<std::string>();
    std::string text(rest.substr(4, length));
    consumed_ += 4 + length;
    // Compacting only when most of the buffer is consumed keeps a burst of small messages linear.
    if (consumed_ * 2 > pending_.size()) {
        pending_.erase(0, consumed_);
        consumed_ = 0;
    }
    return std::optional(std::move(text));
}

}  // namespace steward
