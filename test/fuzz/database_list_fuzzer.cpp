// Pages of pg_database and relation maps. A map's checksum is made right, so that what it guards is reached.

#include <algorithm>

#include "core/postgres/crc32c.h"
#include "core/postgres/database_list.h"
#include "core/postgres/relation_map.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView input = std::as_bytes(std::span(data, size));
    for (const ListedDatabase& database : list_databases(input))
        if (database.oid == 0 || database.names.empty()) __builtin_trap();
    Bytes map(input.begin(), input.end());
    map.resize(8 + size / 8 * 8 + sizeof(uint32_t));
    const size_t checked = map.size() - sizeof(uint32_t);
    std::fill(map.begin() + static_cast<std::ptrdiff_t>(std::min(size, checked)), map.end(), std::byte{0});
    store_le(map.data() + checked, crc32c(ByteView(map).first(checked)));
    const auto parsed = parse_relation_map(map);
    if (parsed.ok()) static_cast<void>(mapped_relation_number(*parsed, kDatabaseCatalog));
    static_cast<void>(parse_relation_map(input));
    return 0;
}
