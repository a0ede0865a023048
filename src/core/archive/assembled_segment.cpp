#include "core/archive/assembled_segment.h"

#include <algorithm>
#include <string_view>

namespace steward {

namespace {

constexpr std::string_view kMark = "pg_steward: assembled from tail\n";
static_assert(kMark.size() == kAssembledMarkSize);

/// The largest WAL page that a server can be built with (XLOG_BLCKSZ).
constexpr size_t kLargestPage = 64 * 1024;

}  // namespace

void mark_as_assembled(MutableByteView segment, uint32_t end) {
    if (segment.size() - end < kLargestPage) return;
    std::ranges::copy(as_bytes(kMark), segment.end() - kAssembledMarkSize);
}

bool is_marked_as_assembled(ByteView ending) { return as_text(ending) == kMark; }

}  // namespace steward
