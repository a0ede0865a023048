#include "core/crypto/secret.h"

#include <openssl/crypto.h>

#include <algorithm>
#include <cstring>

namespace steward {

Secret& Secret::operator=(Secret&& other) noexcept {
    if (this == &other) return *this;
    clear();
    text_ = std::move(other.text_);
    size_ = std::exchange(other.size_, 0);
    capacity_ = std::exchange(other.capacity_, 0);
    return *this;
}

void Secret::append(std::string_view text) {
    if (text.empty()) return;
    if (size_ + text.size() > capacity_) {
        const size_t capacity = std::max<size_t>({64, 2 * capacity_, size_ + text.size()});
        auto larger = std::make_unique<char[]>(capacity);
        if (size_ != 0) std::memcpy(larger.get(), text_.get(), size_);
        if (text_) OPENSSL_cleanse(text_.get(), capacity_);
        text_ = std::move(larger);
        capacity_ = capacity;
    }
    std::memcpy(text_.get() + size_, text.data(), text.size());
    size_ += text.size();
}

void Secret::drop_last(size_t bytes) {
    size_ -= bytes;
    OPENSSL_cleanse(text_.get() + size_, bytes);
}

void Secret::clear() {
    if (text_) OPENSSL_cleanse(text_.get(), capacity_);
    text_.reset();
    size_ = capacity_ = 0;
}

}  // namespace steward
