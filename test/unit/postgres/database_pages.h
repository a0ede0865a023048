// Pages of pg_database and a relation map, as a server writes them.
#pragma once

#include <cstring>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "core/base/bytes.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/page.h"

namespace steward {

// Bits of t_infomask, written down apart from the parser's.
inline constexpr uint16_t kMadeXminCommitted = 0x100, kMadeXminAborted = 0x200, kMadeXminFrozen = 0x300, kMadeXmaxCommitted = 0x400,
                          kMadeXmaxAborted = 0x800, kMadeXmaxGroup = 0x1000, kMadeXmaxLocks = 0x80;

/// A row of pg_database.
struct DatabaseRow {
    uint32_t oid;
    std::string name;
    uint32_t xmin = 2;
    uint32_t xmax = 0;
    uint16_t infomask = kMadeXminFrozen | kMadeXmaxAborted;
    uint32_t state = 1;  ///< of the line pointer; 1: a tuple
};

/// One page with `rows`, at most 30.
inline Bytes make_database_page(const std::vector<DatabaseRow>& rows) {
    constexpr size_t kHeader = 32, kTuple = kHeader + 4 + 64 + 60;
    Bytes page(kPageSize, std::byte{0});
    size_t upper = kPageSize;
    for (size_t i = 0; i < rows.size(); ++i) {
        upper -= kTuple;
        std::byte* const tuple = page.data() + upper;
        store_le<uint32_t>(tuple, rows[i].xmin);
        store_le<uint32_t>(tuple + 4, rows[i].xmax);
        store_le<uint16_t>(tuple + 18, 17);
        store_le<uint16_t>(tuple + 20, rows[i].infomask);
        tuple[22] = std::byte{kHeader};
        store_le<uint32_t>(tuple + kHeader, rows[i].oid);
        std::memcpy(tuple + kHeader + 4, rows[i].name.data(), rows[i].name.size());
        store_le<uint32_t>(page.data() + kPageHeaderSize + i * 4, static_cast<uint32_t>(upper | rows[i].state << 15 | kTuple << 17));
    }
    store_le<uint16_t>(page.data() + 12, static_cast<uint16_t>(kPageHeaderSize + rows.size() * 4));
    store_le<uint16_t>(page.data() + 14, static_cast<uint16_t>(upper));
    store_le<uint16_t>(page.data() + 16, static_cast<uint16_t>(kPageSize));
    store_le<uint16_t>(page.data() + 18, static_cast<uint16_t>(kPageSize | 4));
    return page;
}

/// A map of `size` bytes: 512 up to PostgreSQL 15, 524 since.
inline Bytes make_relation_map(const std::vector<std::pair<uint32_t, uint32_t>>& mappings, size_t size) {
    Bytes map(size, std::byte{0});
    store_le<uint32_t>(map.data(), 0x592717);
    store_le<uint32_t>(map.data() + 4, static_cast<uint32_t>(mappings.size()));
    for (size_t i = 0; i < mappings.size(); ++i) {
        store_le<uint32_t>(map.data() + 8 + i * 8, mappings[i].first);
        store_le<uint32_t>(map.data() + 12 + i * 8, mappings[i].second);
    }
    const size_t crc = size == 512 ? 504 : 520;
    store_le<uint32_t>(map.data() + crc, crc32c(ByteView(map).first(crc)));
    return map;
}

}  // namespace steward
