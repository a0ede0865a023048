// The mark of a segment that was put together from its tail.
//
// Such a segment ends where its WAL ends, and the rest is zero. A server in recovery keeps it in pg_wal under the segment's own name,
// and with archive_mode = always it wants to archive it: stored as a whole segment it would stand for ever in the place of the real
// one. So its last bytes say what it is. The server does not read behind the end of WAL, and whoever finishes the segment writes
// every page of it, which takes the mark away.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"

namespace steward {

/// Length of the mark: the last bytes of the segment.
inline constexpr size_t kAssembledMarkSize = 32;

/// Mark `segment`, of which the first `end` bytes are WAL. When less than a page of the server is free behind them it stays unmarked:
/// the mark must not lie on a page that the server reads.
void mark_as_assembled(MutableByteView segment, uint32_t end);

/// Whether the last kAssembledMarkSize bytes of a segment, `ending`, are the mark.
bool is_marked_as_assembled(ByteView ending);

}  // namespace steward
