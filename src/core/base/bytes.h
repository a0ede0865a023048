// Byte sequences: owned, borrowed, and their little-endian numbers.
#pragma once

#include <bit>
#include <concepts>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"

namespace steward {

/// Allocates like std::allocator but leaves new elements uninitialised: buffers of megabytes are about to be overwritten
/// by read() or the compressor, and clearing them first is measurable on the WAL path.
template <typename T>
struct UninitialisedAllocator : std::allocator<T> {
    template <typename U>
    struct rebind {
        using other = UninitialisedAllocator<U>;
    };
    using std::allocator<T>::allocator;
    template <typename U>
    void construct(U* place) noexcept {
        ::new (static_cast<void*>(place)) U;
    }
    template <typename U, typename... Args>
    void construct(U* place, Args&&... args) {
        ::new (static_cast<void*>(place)) U(std::forward<Args>(args)...);
    }
};

/// Owned bytes. `resize` does not clear what it adds.
using Bytes = std::vector<std::byte, UninitialisedAllocator<std::byte>>;
/// Borrowed bytes; never stored beyond the call.
using ByteView = std::span<const std::byte>;
using MutableByteView = std::span<std::byte>;

inline ByteView as_bytes(std::string_view text) { return std::as_bytes(std::span(text.data(), text.size())); }
inline std::string_view as_text(ByteView bytes) { return {reinterpret_cast<const char*>(bytes.data()), bytes.size()}; }

/// Copy `from` to `place`, which has room for it, and return the place after it. One memcpy, which std::ranges::copy is not for spans.
inline std::byte* copy_bytes(ByteView from, std::byte* place) {
    if (!from.empty()) std::memcpy(place, from.data(), from.size());
    return place + from.size();
}

inline Bytes to_bytes(std::string_view text) { ByteView v = as_bytes(text); return Bytes(v.begin(), v.end()); }

/// Write `value` at `place`, little-endian; `place` has room for sizeof(T).
template <std::integral T>
void store_le(std::byte* place, T value) {
    static_assert(std::endian::native == std::endian::little, "the on-disk formats are little-endian");
    std::memcpy(place, &value, sizeof value);
}

/// Read a little-endian number at `place`.
template <std::integral T>
T load_le(const std::byte* place) {
    T value;
    std::memcpy(&value, place, sizeof value);
    return value;
}

/// Lowercase hexadecimal, two digits a byte, in the order of the bytes.
std::string to_hex(ByteView bytes);

/// Parse what to_hex wrote; digits of either case. Errors: invalid_argument.
Result<Bytes> from_hex(std::string_view text);

/// "5.2 GB": a size for people, powers of 1024 with PostgreSQL's unit names (bytes, kB, MB, GB, TB).
std::string pretty_size(uint64_t bytes);

}  // namespace steward
