#include "core/postgres/shared_catalog.h"

#include <optional>
#include <string>
#include <vector>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/relation_map.h"

namespace steward {

Result<Bytes> read_shared_catalog(const std::filesystem::path& data_directory, Oid catalog) {
    const std::filesystem::path global = data_directory / "global", map_file = global / "pg_filenode.map";
    TRY_ASSIGN(const Bytes content, read_file(map_file));
    TRY_ASSIGN(const std::vector<RelationMapping> map, parse_relation_map(content).context([&] { return formatted("while reading file \"{}\"", map_file.native()); }));
    const std::optional<uint32_t> number = mapped_relation_number(map, catalog);
    if (!number) return Error(ErrorCode::corrupt_object, formatted("the relation map does not have catalog {}", catalog)).object(map_file.native());
    return read_file(global / std::to_string(*number));
}

}  // namespace steward
