// Names of the files in pg_wal and the arithmetic between segments and positions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/postgres/lsn.h"

namespace steward {

/// Timelines count from 1; 0 means "none" (src/include/access/xlogdefs.h).
using TimelineId = uint32_t;

/// wal_segment_size of a cluster made without --wal-segsize.
inline constexpr uint32_t kDefaultWalSegmentSize = 16 * 1024 * 1024;

/// Whether `size` is a power of two from 1 MB to 1 GB (IsValidWalSegSize, src/include/access/xlog_internal.h). Every
/// function below that takes a segment size needs a valid one.
bool is_valid_wal_segment_size(uint64_t size);

/// The number of the segment that holds the byte at `lsn`.
constexpr uint64_t segment_of(Lsn lsn, uint32_t segment_size) { return lsn.value / segment_size; }
/// The number of the segment that holds the last byte before `lsn`: the last one needed to read up to an end position.
constexpr uint64_t segment_before(Lsn lsn, uint32_t segment_size) { return lsn.value == 0 ? 0 : (lsn.value - 1) / segment_size; }
/// Position of the segment's first byte.
constexpr Lsn start_lsn(uint64_t segment_number, uint32_t segment_size) { return {segment_number * segment_size}; }

/// One segment of one timeline.
struct WalSegmentName {
    TimelineId timeline = 0;
    uint64_t segment_number = 0;

    auto operator<=>(const WalSegmentName&) const = default;
    /// The following segment of the same timeline.
    WalSegmentName next() const { return {timeline, segment_number + 1}; }
};

/// "000000010000000000000003": XLogFileName of src/include/access/xlog_internal.h.
std::string to_string(WalSegmentName name, uint32_t segment_size);

/// Parse exactly 24 uppercase hexadecimal digits. Errors: invalid_argument when `text` is no segment name, when the last
/// eight digits are beyond what `segment_size` allows (the name was made with another size), or when the size is invalid.
Result<WalSegmentName> parse_wal_segment_name(std::string_view text, uint32_t segment_size);

enum class WalFileKind {
    kSegment,          ///< 24 digits
    kPartialSegment,   ///< 24 digits, ".partial": the end of a timeline that was left behind at promotion
    kTimelineHistory,  ///< 8 digits, ".history"
    kBackupHistory,    ///< 24 digits, ".", 8 digits, ".backup"
};

/// What PostgreSQL would call a file of this name in pg_wal, or nothing. Digits are uppercase, as the server writes them.
std::optional<WalFileKind> classify_wal_file(std::string_view name);

}  // namespace steward
