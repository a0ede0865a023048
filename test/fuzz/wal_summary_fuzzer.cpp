// WAL summaries. The checksum at the end is made right, so that what it guards is reached.

#include <algorithm>

#include "core/postgres/crc32c.h"
#include "core/postgres/wal_summary.h"

using namespace steward;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    const ByteView input = std::as_bytes(std::span(data, size));
    Bytes sealed(input.begin(), input.end());
    sealed.resize(size + sizeof(uint32_t));
    store_le(sealed.data() + size, crc32c(input));
    ChangedBlocks changes;
    static_cast<void>(changes.add(input));
    if (changes.add(sealed).ok() && size >= 16) {
        const RelationFile file{.tablespace = load_le<uint32_t>(input.data() + 4),
                                .database = load_le<uint32_t>(input.data() + 8),
                                .relation_number = load_le<uint32_t>(input.data() + 12)};
        const ChangedBlocks::Fork* fork = changes.find(file);
        if (fork != nullptr && std::ranges::adjacent_find(fork->blocks, std::greater_equal<>()) != fork->blocks.end()) __builtin_trap();
    }
    static_cast<void>(parse_wal_summary_name(as_text(input)));
    return 0;
}
