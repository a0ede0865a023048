#include "core/postgres/page.h"

#include <cstring>

// The server picks the widest vectors the machine has at run time, and so do we. Sanitizers instrument the resolvers that this
// generates, which then run before the sanitizer's own start.
#if defined(__x86_64__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define STEWARD_WIDEST_VECTORS __attribute__((target_clones("avx512f", "avx2", "default")))
#else
#define STEWARD_WIDEST_VECTORS
#endif

namespace steward {

namespace {

constexpr size_t kChecksumOffset = 8;
constexpr size_t kUpperOffset = 14;
constexpr size_t kLanes = 32;
constexpr size_t kRowSize = kLanes * sizeof(uint32_t);
constexpr uint32_t kFnvPrime = 16777619;

// Half a row: two of them keep all 32 hashes in registers from AVX2 on.
typedef uint32_t HalfRow __attribute__((vector_size(kRowSize / 2)));

// The start of each of the 32 parallel hashes: part of the on-disk format (checksumBaseOffsets in checksum_impl.h).
constexpr uint32_t kLaneStarts[kLanes] = {
    0x5B1F36E9, 0xB8525960, 0x02AB50AA, 0x1DE66D2A, 0x79FF467A, 0x9BB9F8A3, 0x217E7CD2, 0x83E13D2C,
    0xF8D4474F, 0xE39EB970, 0x42C6AE16, 0x993216FA, 0x7B093B5D, 0x98DAFF3C, 0xF718902A, 0x0B1C9CDB,
    0xE58F764B, 0x187636BC, 0x5D7B3BB1, 0xE73DE7DE, 0x92BEC979, 0xCCA6C0B2, 0x304A0979, 0x85AA43D4,
    0x783125BB, 0x6CA8EAA2, 0xE407EAC6, 0x4B5CFC3E, 0x9FBF8C76, 0x15CA20BE, 0xF2CA9FD3, 0x959BD756,
};

/// Fold the page to 32 bits. `first_row` stands for the page's first 128 bytes, with the checksum field cleared.
STEWARD_WIDEST_VECTORS
uint32_t fold_page(const std::byte* page, size_t size, const std::byte* first_row) {
    HalfRow left, right, left_value, right_value;
    std::memcpy(&left, kLaneStarts, sizeof left);
    std::memcpy(&right, kLaneStarts + kLanes / 2, sizeof right);
    const std::byte* row = first_row;
    for (size_t offset = 0; offset < size; offset += kRowSize) {
        std::memcpy(&left_value, row, sizeof left_value);
        std::memcpy(&right_value, row + sizeof left_value, sizeof right_value);
        left ^= left_value;
        right ^= right_value;
        left = (left * kFnvPrime) ^ (left >> 17);
        right = (right * kFnvPrime) ^ (right >> 17);
        row = page + offset + kRowSize;
    }
    // Two rounds of zeros let the last row mix as well as the first.
    for (int round = 0; round < 2; round++) {
        left = (left * kFnvPrime) ^ (left >> 17);
        right = (right * kFnvPrime) ^ (right >> 17);
    }
    left ^= right;
    uint32_t folded = 0;
    for (size_t lane = 0; lane < kLanes / 2; lane++) folded ^= left[lane];
    return folded;
}

bool is_all_zeros(ByteView bytes) {
    // Comparing the page with itself, one byte on, is one memcmp.
    return bytes.empty() || (bytes[0] == std::byte{0} && std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0);
}

}  // namespace

PageHeader read_page_header(ByteView page) {
    const std::byte* p = page.data();
    // An LSN in a page is two 32-bit halves, the high one first (PageXLogRecPtr).
    return {.lsn = {uint64_t{load_le<uint32_t>(p)} << 32 | load_le<uint32_t>(p + 4)},
            .checksum = load_le<uint16_t>(p + kChecksumOffset),
            .flags = load_le<uint16_t>(p + 10),
            .lower = load_le<uint16_t>(p + 12),
            .upper = load_le<uint16_t>(p + kUpperOffset),
            .special = load_le<uint16_t>(p + 16),
            .page_size_and_version = load_le<uint16_t>(p + 18)};
}

bool is_new_page(ByteView page) { return load_le<uint16_t>(page.data() + kUpperOffset) == 0; }

bool has_sane_header(ByteView page) {
    const PageHeader header = read_page_header(page);
    return (header.page_size_and_version & 0xFF00) == page.size() && header.lower <= header.upper &&
           header.upper <= header.special && header.special <= page.size() && header.special % 8 == 0;
}

uint16_t page_checksum(ByteView page, uint32_t block_number) {
    alignas(64) std::byte first_row[kRowSize];
    std::memcpy(first_row, page.data(), kRowSize);
    store_le<uint16_t>(first_row + kChecksumOffset, 0);
    const uint32_t folded = fold_page(page.data(), page.size(), first_row) ^ block_number;
    // Never zero, which would read as "no checksum".
    return static_cast<uint16_t>(folded % 65535 + 1);
}

PageVerdict verify_page(ByteView page, uint32_t block_number) {
    if (is_new_page(page)) return is_all_zeros(page) ? PageVerdict::kNew : PageVerdict::kBadChecksum;
    const bool matches = load_le<uint16_t>(page.data() + kChecksumOffset) == page_checksum(page, block_number);
    return matches ? PageVerdict::kValid : PageVerdict::kBadChecksum;
}

}  // namespace steward
