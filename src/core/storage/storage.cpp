#include "core/storage/storage.h"

#include <utility>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr size_t kMaxKeyLength = 1000;
constexpr size_t kMaxSegmentLength = 255;

/// Length in bytes of the character that begins with `lead` (RFC 3629), 0 when none does.
size_t utf8_length(unsigned char lead) {
    if (lead < 0x80) return 1;
    if (lead < 0xC2) return 0;
    if (lead < 0xE0) return 2;
    if (lead < 0xF0) return 3;
    return lead < 0xF5 ? 4 : 0;
}

/// Take one character off `text` (RFC 3629: shortest form, no surrogates, up to U+10FFFF), or nothing if it is malformed.
std::optional<char32_t> take_utf8(std::string_view& text) {
    const auto lead = static_cast<unsigned char>(text.front());
    const size_t length = utf8_length(lead);
    if (length == 0 || text.size() < length) return std::nullopt;
    char32_t character = length == 1 ? lead : lead & (0x7Fu >> length);
    for (size_t i = 1; i < length; ++i) {
        const auto byte = static_cast<unsigned char>(text[i]);
        if ((byte & 0xC0) != 0x80) return std::nullopt;
        character = character << 6 | (byte & 0x3F);
    }
    const bool overlong = (length == 3 && character < 0x800) || (length == 4 && character < 0x10000);
    if (overlong || (character >= 0xD800 && character <= 0xDFFF) || character > 0x10FFFF) return std::nullopt;
    text.remove_prefix(length);
    return character;
}

/// Say what is wrong with one segment, or nothing.
std::string_view fault_of_segment(std::string_view segment) {
    if (segment.empty()) return "it has an empty segment";
    if (segment == "." || segment == "..") return "it has a segment \".\" or \"..\"";
    if (segment.size() > kMaxSegmentLength) return "it has a segment of more than 255 bytes";
    return {};
}

std::string_view fault_of_characters(std::string_view key) {
    while (!key.empty()) {
        const std::optional<char32_t> character = take_utf8(key);
        if (!character) return "it is not valid UTF-8";
        if (*character < 0x20 || (*character >= 0x7F && *character < 0xA0)) return "it has a control character";
    }
    return {};
}

/// Say what is wrong with the key, or nothing.
std::string_view fault_of_key(std::string_view key) {
    if (key.empty()) return "it is empty";
    if (key.size() > kMaxKeyLength) return "it is longer than 1000 bytes";
    if (const std::string_view fault = fault_of_characters(key); !fault.empty()) return fault;
    const std::string_view first = key.substr(0, key.find('/'));
    if (first == kTemporarySegment || first == "lost+found") return "its first segment is reserved";
    for (std::string_view rest = key;;) {
        const size_t slash = rest.find('/');
        if (const std::string_view fault = fault_of_segment(rest.substr(0, slash)); !fault.empty()) return fault;
        if (slash == std::string_view::npos) return {};
        rest.remove_prefix(slash + 1);
    }
}

/// The key for a message: what is no printable ASCII is escaped, because a refused key may hold anything.
std::string printable(std::string_view key) {
    std::string text;
    for (const char c : key.substr(0, kMaxKeyLength)) {
        if (c >= 0x20 && c < 0x7F) {
            text += c;
        } else {
            text += formatted("\\x{:02x}", static_cast<unsigned char>(c));
        }
    }
    return text;
}

}  // namespace

Result<void> check_key(std::string_view key) {
    const std::string_view fault = fault_of_key(key);
    if (fault.empty()) return {};
    return Error(ErrorCode::invalid_argument, formatted("invalid object key \"{}\": {}", printable(key), fault))
        .object(printable(key));
}

Result<void> check_list_limit(size_t limit) {
    if (limit >= 1 && limit <= kMaxListLimit) return {};
    return Error(ErrorCode::invalid_argument, formatted("page size {} is outside the range 1 .. {}", limit, kMaxListLimit));
}

Error object_not_found(std::string_view key, std::string_view url) {
    return Error(ErrorCode::not_found, formatted("object \"{}\" does not exist in \"{}\"", key, url)).object(std::string(key));
}

Result<Bytes> read_object(Storage& storage, std::string_view key, uint64_t limit) {
    // One byte more than allowed tells a larger object without a second request.
    const uint64_t length = limit == UINT64_MAX ? limit : limit + 1;
    TRY_ASSIGN(Bytes content, storage.read(key, 0, length));
    if (content.size() > limit)
        return Error(ErrorCode::io_error,
                     formatted("object \"{}\" in \"{}\" is larger than {} bytes", key, storage.url(), limit))
            .object(std::string(key))
            .retryable(false);
    return content;
}

Result<void> for_each_object(Storage& storage, std::string_view prefix,
                             const std::function<Result<void>(const ObjectInfo&)>& visit) {
    std::string page;
    do {
        TRY_ASSIGN(ListPage listed, storage.list(prefix, page));
        for (const ObjectInfo& object : listed.objects) TRY(visit(object));
        page = std::move(listed.next);
    } while (!page.empty());
    return {};
}

}  // namespace steward
