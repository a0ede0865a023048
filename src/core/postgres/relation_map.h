// pg_filenode.map: the files of those catalogs that cannot be looked up in pg_class, because that would need them.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/postgres/relation_file.h"

namespace steward {

/// pg_database's OID in every cluster (src/include/catalog/pg_database.h).
inline constexpr Oid kDatabaseCatalog = 1262;

/// One catalog's file, in the directory of the map.
struct RelationMapping {
    Oid relation = 0;
    uint32_t relation_number = 0;  ///< as in RelationFile
};

/// Parse a map's content and check its CRC (RelMapFile of src/backend/utils/cache/relmapper.c). The number of slots differs, 62 up to 15 and
/// 64 since, and is taken from the size. Errors: corrupt_object; the caller adds which file it was.
Result<std::vector<RelationMapping>> parse_relation_map(ByteView content);

/// The number of `relation`'s file, or nothing when the map does not have it.
std::optional<uint32_t> mapped_relation_number(std::span<const RelationMapping> map, Oid relation);

}  // namespace steward
