#include "core/crypto/saslprep.h"

#include <openssl/crypto.h>
#include <stringprep.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <span>

namespace steward {

namespace {

using Table = const Stringprep_table_element*;

/// What the library allocated, wiped when it goes. Its lengths are known only afterwards.
template <typename Unit>
struct WipeAndFree {
    size_t units = 0;

    void operator()(Unit* text) const {
        OPENSSL_cleanse(text, units * sizeof(Unit));
        std::free(text);
    }
};

using CodePoints = std::unique_ptr<uint32_t[], WipeAndFree<uint32_t>>;
using Characters = std::unique_ptr<char[], WipeAndFree<char>>;

/// Tables end with an element of zeros; one character has no end.
bool is_in(Table table, uint32_t code) {
    for (; table->start != 0 || table->end != 0; ++table)
        if (code >= table->start && code <= std::max(table->start, table->end)) return true;
    return false;
}

bool is_in_any(std::span<const Table> tables, uint32_t code) {
    return std::ranges::any_of(tables, [code](Table table) { return is_in(table, code); });
}

/// Section 2.3 of the RFC, and what Unicode 3.2 did not know (2.5).
bool is_prohibited(uint32_t code) {
    static const Table kProhibited[] = {stringprep_rfc3454_C_1_2, stringprep_rfc3454_C_2_1, stringprep_rfc3454_C_2_2, stringprep_rfc3454_C_3,
                                        stringprep_rfc3454_C_4,   stringprep_rfc3454_C_5,   stringprep_rfc3454_C_6,   stringprep_rfc3454_C_7,
                                        stringprep_rfc3454_C_8,   stringprep_rfc3454_C_9,   stringprep_rfc3454_A_1};
    return is_in_any(kProhibited, code);
}

/// Section 6 of RFC 3454.
bool has_bad_direction(std::span<const uint32_t> codes) {
    const auto is_right_to_left = [](uint32_t code) { return is_in(stringprep_rfc3454_D_1, code); };
    if (std::ranges::none_of(codes, is_right_to_left)) return false;
    return !is_right_to_left(codes.front()) || !is_right_to_left(codes.back()) ||
           std::ranges::any_of(codes, [](uint32_t code) { return is_in(stringprep_rfc3454_D_2, code); });
}

/// Section 2.1, in place. Returns the new length. U+200B is both a space and nothing: the server takes it for a space.
size_t map_characters(std::span<uint32_t> codes) {
    size_t kept = 0;
    for (const uint32_t code : codes) {
        if (is_in(stringprep_rfc3454_C_1_2, code)) codes[kept++] = ' ';
        else if (!is_in(stringprep_rfc3454_B_1, code)) codes[kept++] = code;
    }
    return kept;
}

Characters normalize(std::span<const uint32_t> codes) {
    CodePoints normalized(stringprep_ucs4_nfkc_normalize(codes.data(), static_cast<ssize_t>(codes.size())));
    if (!normalized) throw std::bad_alloc();
    while (normalized[normalized.get_deleter().units] != 0) ++normalized.get_deleter().units;
    size_t size = 0;
    Characters text(stringprep_ucs4_to_utf8(normalized.get(), static_cast<ssize_t>(normalized.get_deleter().units), nullptr, &size));
    text.get_deleter().units = size;
    return text;
}

}  // namespace

Secret saslprep(std::string_view password) {
    if (std::ranges::all_of(password, [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return Secret(password);
    size_t count = 0;
    const CodePoints codes(stringprep_utf8_to_ucs4(password.data(), static_cast<ssize_t>(password.size()), &count), {count});
    if (!codes) return Secret(password);
    const std::span<uint32_t> all(codes.get(), count);
    const std::span<uint32_t> mapped = all.first(map_characters(all));
    if (mapped.empty() || std::ranges::any_of(mapped, is_prohibited) || has_bad_direction(mapped)) return Secret(password);
    const Characters text = normalize(mapped);
    return text ? Secret({text.get(), text.get_deleter().units}) : Secret(password);
}

}  // namespace steward
