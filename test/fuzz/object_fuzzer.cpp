// Objects from a store that somebody tampered with: digests are no authentication, so they are made to fit.

#include <algorithm>

#include "core/repository/object.h"

using namespace steward;

namespace {

constexpr uint64_t kMostContent = 64 << 20;

void seal(Bytes& object) {
    const uint64_t frames = std::min<uint64_t>(load_le<uint32_t>(object.data() + 68), (object.size() - kObjectHeaderSize) / kIndexEntrySize);
    const size_t head_size = kObjectHeaderSize + frames * kIndexEntrySize;
    Bytes root(12 + frames * 16);
    std::copy_n(object.begin() + 40, 8, root.begin());
    std::copy_n(object.begin() + 64, 4, root.begin() + 8);
    for (size_t i = 0; i < frames; ++i)
        std::copy_n(object.begin() + static_cast<ptrdiff_t>(kObjectHeaderSize + i * kIndexEntrySize + 4), 16, root.begin() + static_cast<ptrdiff_t>(12 + i * 16));
    std::ranges::copy(digest_of(root).bytes, object.begin() + 48);
    Bytes head(object.begin(), object.begin() + 112);
    head.insert(head.end(), object.begin() + kObjectHeaderSize, object.begin() + static_cast<ptrdiff_t>(head_size));
    std::ranges::copy(digest_of(head).bytes, object.begin() + 112);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView input = std::as_bytes(std::span(data, size));
    Bytes object(input.begin(), input.end());
    if (object.size() >= kObjectHeaderSize) {
        std::ranges::copy(as_bytes("PGSTEWRD"), object.begin());
        store_le(object.data() + 8, kFormatVersion);
        seal(object);
    }
    const ExpectedObject expected{"fuzzed", ObjectKind::kPack, 1};
    const Result<ObjectHead> head = parse_object_head(object, expected);
    if (!head.ok() || head->plain_length > kMostContent) return 0;
    const Result<Bytes> content = open_object(object, expected);
    if (content.ok() && content_digest_of(*content) != head->content_digest && head->frame_size == kFrameSize) __builtin_trap();
    return 0;
}
