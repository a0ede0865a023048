// Reading stored WAL record by record, also those records that run across the end of a segment.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/postgres/wal_reader.h"
#include "core/postgres/wal_record.h"
#include "core/repository/repository.h"

namespace steward {

enum class ScanStep { kContinue, kStop };

/// Called for each record, in order. The reader stands at the record: its main_data() is the record's.
using RecordVisitor = std::function<Result<ScanStep>(const WalRecord& record, const WalSegmentReader& reader)>;

/// Reads segments of one recovery path. For many threads at once; borrows everything.
class WalScanner {
public:
    /// `segments` are consecutive (TimelineHistory::segments_between, WalReach::segments).
    WalScanner(std::span<const Repository> repositories, std::span<const WalSegmentName> segments)
        : repositories_(repositories), segments_(segments) {}

    size_t size() const { return segments_.size(); }
    WalSegmentName segment(size_t index) const { return segments_[index]; }

    /// Visit the whole records that start in segment number `index`. The last one may end in the following segment, whose
    /// beginning is read then. A segment that was not finished is read as far as its tail goes. CRCs are not checked: the objects' digests are. Errors: missing_wal, corrupt_object, as fetch_segment.
    Result<void> visit(size_t index, const RecordVisitor& visitor) const;

private:
    Result<void> visit_crossing(ByteView segment, Lsn begin, size_t index, const RecordVisitor& visitor) const;
    Result<Bytes> beginning_of(const std::string& name, uint64_t length) const;
    uint32_t segment_size() const { return repositories_.front().identity().wal_segment_size; }

    std::span<const Repository> repositories_;
    std::span<const WalSegmentName> segments_;
};

/// Put the record that begins at `begin` in `segment` and ends in `next`, the beginning of the following segment, into the
/// form of a segment of its own, for WalSegmentReader; nothing when `next` holds no continuation or too little of it.
/// The record's position in the result is meaningless. Both have valid segment headers.
std::optional<Bytes> assemble_crossing_record(ByteView segment, Lsn begin, ByteView next);

}  // namespace steward
