#include "core/postgres/relation_map.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/postgres/crc32c.h"

namespace steward {

namespace {

// struct RelMapFile: magic, number of mappings, the slots, a CRC-32C of all before it and, up to 15, four bytes of padding.
constexpr uint32_t kMagic = 0x592717;
constexpr size_t kHeaderSize = 8;
constexpr size_t kSlotSize = 8;
constexpr size_t kCrcSize = 4;

Error damaged(std::string detail) { return Error(ErrorCode::corrupt_object, "relation map is damaged").detail(std::move(detail)); }

}  // namespace

Result<std::vector<RelationMapping>> parse_relation_map(ByteView content) {
    if (content.size() < kHeaderSize + kCrcSize) return damaged(formatted("It has {} bytes.", content.size()));
    const size_t slots = (content.size() - kHeaderSize - kCrcSize) / kSlotSize;
    const size_t crc_offset = kHeaderSize + slots * kSlotSize;
    if (const uint32_t magic = load_le<uint32_t>(content.data()); magic != kMagic)
        return damaged(formatted("It begins with {:08X} instead of {:08X}.", magic, kMagic));
    if (crc32c(content.first(crc_offset)) != load_le<uint32_t>(content.data() + crc_offset)) return damaged("Its checksum is wrong.");
    const uint32_t count = load_le<uint32_t>(content.data() + 4);
    if (count > slots) return damaged(formatted("It has {} mappings in {} slots.", count, slots));

    std::vector<RelationMapping> map(count);
    for (size_t i = 0; i < count; ++i) {
        const std::byte* const slot = content.data() + kHeaderSize + i * kSlotSize;
        map[i] = {load_le<uint32_t>(slot), load_le<uint32_t>(slot + 4)};
    }
    return map;
}

std::optional<uint32_t> mapped_relation_number(std::span<const RelationMapping> map, Oid relation) {
    const auto found = std::ranges::find(map, relation, &RelationMapping::relation);
    return found == map.end() ? std::nullopt : std::optional(found->relation_number);
}

}  // namespace steward
