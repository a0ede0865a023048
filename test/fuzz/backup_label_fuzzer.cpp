// backup_label and tablespace_map: what is understood renders to something that is understood the same.

#include "core/postgres/backup_label.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    static_cast<void>(parse_backup_label(text));
    const Result<std::vector<TablespaceMapping>> map = parse_tablespace_map(text);
    if (!map.ok()) return 0;
    const Result<std::vector<TablespaceMapping>> again = parse_tablespace_map(render_tablespace_map(*map));
    if (!again.ok() || *again != *map) __builtin_trap();
    return 0;
}
