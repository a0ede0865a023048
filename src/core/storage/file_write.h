// Writing the content of an object to a file, durably.
#pragma once

#include <span>

#include "core/base/bytes.h"

namespace steward {

/// Objects from this size on are written past the page cache where the file system can do that: packs. Most WAL segments are
/// smaller; a standby may read them at once.
inline constexpr size_t kDirectWriteFrom = size_t{4} << 20;

/// Write `parts` one after another to the new, empty file `fd` and flush it: the content survives a crash, the file's times may not.
///
/// A backup's packs are written once and not read soon. In the page cache they would take the place of what the server reads, and
/// the copying would take processor time from compression: 2 of 16 s for a backup of 5 GB on two CPUs. Returns 0 or errno; ENOSPC
/// also where the file system writes nothing without saying why. Process context: any thread.
int write_durably(int fd, std::span<const ByteView> parts);

}  // namespace steward
