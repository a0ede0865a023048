// Text that must not be seen: it cannot be formatted or copied, and is wiped when it goes.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace steward {

/// Owns the bytes of a password. Every place that held them, those it grew out of among them, is overwritten. Process context: any.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string_view text) { append(text); }
    Secret(Secret&& other) noexcept
        : text_(std::move(other.text_)), size_(std::exchange(other.size_, 0)), capacity_(std::exchange(other.capacity_, 0)) {}
    Secret& operator=(Secret&& other) noexcept;
    ~Secret() { clear(); }

    void append(std::string_view text);
    /// Take the last `bytes` off; there are that many.
    void drop_last(size_t bytes);
    void clear();

    /// Borrows: wiped with this object. What is made of it has to be wiped as well.
    std::string_view view() const { return {text_.get(), size_}; }
    bool empty() const { return size_ == 0; }

private:
    std::unique_ptr<char[]> text_;
    size_t size_ = 0;
    size_t capacity_ = 0;
};

}  // namespace steward
