// A segment that was never finished, put together from the pieces of its tail.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/postgres/timeline.h"
#include "core/repository/repository.h"

namespace steward {

/// A segment as recovery can read it.
struct FetchedSegment {
    Bytes content;                 ///< as long as a segment
    std::optional<uint32_t> tail_end;  ///< set when it was put together: from here on it holds no WAL
};

/// Load the segment `name`: whole where any of `repositories` has it, otherwise as much of its tail as they have together, from the
/// first byte on without a hole, the rest zero. The whole segment always counts before the tail.
///
/// "Nothing" is a proof, as for fetch_wal_file, and so is a tail's end: every repository was asked for both, and its pieces did not
/// change meanwhile. Errors: as fetch_wal_file and Storage::list; the first error of a piece when no other one covers its bytes;
/// busy when the tail changes faster than it can be read.
Result<std::optional<FetchedSegment>> fetch_segment(std::span<const Repository> repositories, const std::string& name);

/// Where the tail of `segment` must be cut, as an offset in it, for recovery that follows the timeline `followed`, or without it the
/// newest one that descends from the segment's timeline: the timelines part there, and what is behind it never happened on the other
/// one. The segment's size when all of it counts; 0 when nothing does. Errors: as Repository::load, parse_timeline_history.
Result<uint32_t> tail_limit(std::span<const Repository> repositories, WalSegmentName segment, std::optional<TimelineId> followed);

}  // namespace steward
