// Reads the records of one WAL segment without a server.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/wal_name.h"
#include "core/postgres/wal_record.h"

namespace steward {

/// The number at the beginning of every WAL page of `major` (XLOG_PAGE_MAGIC, src/include/access/xlog_internal.h), or 0 for
/// a major this release does not know.
uint16_t wal_page_magic_of(int major);

/// What the first page of a segment says about it.
struct WalSegmentHeader {
    int major = 0;  ///< from the page's magic
    TimelineId timeline = 0;
    Lsn start;  ///< of the segment
    uint64_t system_identifier = 0;
    uint32_t segment_size = 0;
    uint32_t page_size = 0;
    /// Bytes at the beginning that continue a record of the segment before (xlp_rem_len), without page headers.
    uint32_t continued_bytes = 0;
};

/// Read and check a segment's first page header; `segment` may hold any number of bytes of its beginning, 40 at least.
/// Errors: wrong_version when the magic is of no known major, corrupt_object when the header contradicts itself.
Result<WalSegmentHeader> read_wal_segment_header(ByteView segment);

/// Why a reader gave no further record.
enum class WalEnd {
    kNone,           ///< it may give more
    kSegmentEnd,     ///< the last record ends with the segment, or was a WAL switch
    kContinues,      ///< the last record goes on in the next segment
    kTruncated,      ///< the bytes at hand end here, before the segment's end
    kEndOfData,      ///< zeros, or what a recycled segment held before: nothing was written here yet
    kBadRecord,      ///< a record with a wrong CRC or structure: damage, or a write that was under way
};

/// Walks the records of one segment, complete or partial, held in memory.
///
/// It checks what core's reader checks (src/backend/access/transam/xlogreader.c): magic, address and timeline of every page
/// it enters, that records are linked to the one before, and, if asked, their CRC. A recycled segment's old content is
/// found out by page addresses and links even without CRCs. Reading is a matter of headers: data is touched only for
/// CRCs and main_data. It is an iterator: `segment` is borrowed and outlives it. One thread.
class WalSegmentReader {
public:
    enum class Crc { kVerify, kSkip };

    /// Begin with the first record that starts in the segment or, when given, with the one at `from`, which must be a
    /// record's start. `segment_size` is the cluster's. Errors: those of read_wal_segment_header; corrupt_object when the
    /// segment was made with another size; invalid_argument when `from` is outside.
    static Result<WalSegmentReader> open(ByteView segment, uint32_t segment_size, Crc crc,
                                         std::optional<Lsn> from = std::nullopt);

    const WalSegmentHeader& header() const { return header_; }

    /// Return the next record, or nothing at the end: see `end()`.
    std::optional<WalRecord> next();

    /// Return a copy of the main data of the record that `next` returned last: what its resource manager logged, apart
    /// from blocks. Errors: corrupt_object when the record's own headers do not fit its length.
    Result<Bytes> main_data() const;

    WalEnd end() const { return end_; }

    /// End of the last record given: up to here WAL is whole. The start of the first one before that.
    Lsn valid_until() const { return header_.start + position_; }

private:
    WalSegmentReader(ByteView segment, const WalSegmentHeader& header, Crc crc) : segment_(segment), header_(header), crc_(crc) {}

    enum class PageCheck { kGood, kMissing, kForeign };
    static constexpr size_t kRecordHeader = 24;  // SizeOfXLogRecord
    using RecordHead = std::array<std::byte, kRecordHeader>;
    PageCheck check_page(size_t page);
    std::nullopt_t stop(WalEnd end);
    void skip_continuation();
    std::optional<size_t> find_record_begin();
    std::optional<size_t> find_record_end(size_t begin);
    std::optional<WalRecord> take_record(size_t begin, size_t end);
    size_t page_header_size(size_t page) const;
    /// Call `use` with each piece of the record at `position`, in order, without page headers.
    template <typename Use>
    void for_each_piece(size_t position, size_t length, Use use) const;
    RecordHead copy_head(size_t begin) const;
    Bytes copy_record() const;
    bool is_linked(size_t begin) const;
    bool crc_matches(size_t begin, size_t length) const;

    ByteView segment_;
    WalSegmentHeader header_;
    Crc crc_;
    WalEnd end_ = WalEnd::kNone;
    size_t position_ = 0;         ///< in the segment, of the next record or of the page header before it
    size_t record_position_ = 0;  ///< of the record given last
    size_t record_length_ = 0;
    Lsn last_record_;  ///< to check the next one's link with; zero before the first
    TimelineId last_timeline_ = 0;
};

}  // namespace steward
