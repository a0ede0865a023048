// Reads the fields of a C struct in their order, placed as a 64-bit compiler places them.
#pragma once

#include <type_traits>

#include "core/base/bytes.h"

namespace steward {

/// PostgreSQL writes C structs to disk as they are in memory. Reading them field by field, with the padding computed, lets
/// one list of fields serve all majors, each difference being one line.
///
/// Reading beyond the end yields zeros and is remembered: check `ok()` once, at the end. Borrows `content` for its lifetime,
/// which is one parse.
class StructReader {
public:
    explicit StructReader(ByteView content) : content_(content) {}

    /// The next field, of type T, at the next multiple of its size.
    template <typename T>
        requires(std::is_integral_v<T>)
    T take() {
        align(sizeof(T));
        T value{};
        if (content_.size() >= sizeof(T) && offset_ <= content_.size() - sizeof(T))
            value = load_le<T>(content_.data() + offset_);
        else
            ok_ = false;
        offset_ += sizeof(T);
        return value;
    }

    /// A C bool: one byte.
    bool take_bool() { return take<uint8_t>() != 0; }

    /// Pass over `bytes` bytes of single-byte fields.
    void skip(size_t bytes) {
        offset_ += bytes;
        ok_ = ok_ && offset_ <= content_.size();
    }

    /// Move on to a multiple of `alignment`: where a nested struct begins, and what its size is rounded up to.
    void align(size_t alignment) { offset_ = (offset_ + alignment - 1) / alignment * alignment; }

    size_t offset() const { return offset_; }
    bool ok() const { return ok_; }

private:
    ByteView content_;
    size_t offset_ = 0;
    bool ok_ = true;
};

}  // namespace steward
