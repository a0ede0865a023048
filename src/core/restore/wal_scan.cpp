#include "core/restore/wal_scan.h"

#include <algorithm>
#include <cstring>

#include "core/base/format.h"
#include "core/repository/object_range.h"
#include "core/restore/wal_tail_fetch.h"

namespace steward {

namespace {

// Page headers of src/include/access/xlog_internal.h: XLogLongPageHeaderData at the beginning of a segment, else XLogPageHeaderData.
constexpr size_t kLongHeader = 40;
constexpr size_t kShortHeader = 24;
constexpr size_t kFlagsAt = 2, kAddressAt = 8, kRemainingAt = 16;
constexpr uint16_t kFirstIsContinuation = 0x0001;
constexpr uint16_t kHasLongHeader = 0x0002;

size_t header_size(size_t page) { return page == 0 ? kLongHeader : kShortHeader; }

/// Append up to `length` bytes of a record from `position` on, stepping over page headers, as far as `segment` goes.
void append_record(ByteView segment, size_t page_size, size_t position, size_t length, Bytes& record) {
    if (position % page_size == 0) position += header_size(position);
    while (length != 0 && position < segment.size()) {
        const size_t page = position / page_size * page_size;
        const size_t piece = std::min({length, page + page_size - position, segment.size() - position});
        record.insert(record.end(), segment.begin() + static_cast<ptrdiff_t>(position), segment.begin() + static_cast<ptrdiff_t>(position + piece));
        length -= piece;
        position = page + page_size + kShortHeader;
    }
}

/// Lay `record` out as the only one of a segment that begins like `next`.
Bytes lay_out(ByteView record, ByteView next, const WalSegmentHeader& header) {
    Bytes segment(next.begin(), next.begin() + kLongHeader);
    store_le<uint16_t>(segment.data() + kFlagsAt, kHasLongHeader);
    store_le<uint32_t>(segment.data() + kRemainingAt, 0);
    while (!record.empty()) {
        if (segment.size() % header.page_size == 0) {
            const size_t page = segment.size();
            segment.insert(segment.end(), next.begin(), next.begin() + kShortHeader);
            store_le<uint16_t>(segment.data() + page + kFlagsAt, kFirstIsContinuation);
            store_le<uint64_t>(segment.data() + page + kAddressAt, header.start.value + page);
            store_le<uint32_t>(segment.data() + page + kRemainingAt, static_cast<uint32_t>(record.size()));
        }
        const size_t piece = std::min<size_t>(record.size(), header.page_size - segment.size() % header.page_size);
        segment.insert(segment.end(), record.begin(), record.begin() + static_cast<ptrdiff_t>(piece));
        record = record.subspan(piece);
    }
    return segment;
}

}  // namespace

std::optional<Bytes> assemble_crossing_record(ByteView segment, Lsn begin, ByteView next) {
    const Result<WalSegmentHeader> first = read_wal_segment_header(segment);
    const Result<WalSegmentHeader> second = read_wal_segment_header(next);
    if (!first.ok() || !second.ok()) return std::nullopt;
    size_t position = begin - first->start;
    if (position % first->page_size == 0) position += header_size(position);
    if (position + sizeof(uint32_t) > segment.size()) return std::nullopt;
    const uint64_t length = load_le<uint32_t>(segment.data() + position);

    Bytes record;
    append_record(segment, first->page_size, position, length, record);
    // A record that was given up after a crash has no continuation, or another one than its own.
    if (record.size() >= length || second->continued_bytes != length - record.size()) return std::nullopt;
    append_record(next, second->page_size, kLongHeader, length - record.size(), record);
    if (record.size() != length) return std::nullopt;
    return lay_out(record, next, *second);
}

Result<Bytes> WalScanner::beginning_of(const std::string& name, uint64_t length) const {
    std::optional<Error> failure;
    for (const Repository& repository : repositories_) {
        Result<Bytes> beginning = read_beginning(repository, repository.layout().wal(name), ObjectKind::kWalSegment, length);
        if (beginning.ok()) return beginning;
        if (!failure || failure->code() == ErrorCode::not_found) failure = std::move(beginning).error();
    }
    if (failure->code() != ErrorCode::not_found) return std::move(*failure);
    TRY_ASSIGN(std::optional<FetchedSegment> tail, fetch_segment(repositories_, name));
    if (!tail) return std::move(*failure);
    tail->content.resize(std::min<uint64_t>(length, tail->content.size()));
    return std::move(tail->content);
}

Result<void> WalScanner::visit(size_t index, const RecordVisitor& visitor) const {
    const std::string name = to_string(segments_[index], segment_size());
    TRY_ASSIGN(const std::optional<FetchedSegment> file, fetch_segment(repositories_, name));
    if (!file)
        return Error(ErrorCode::missing_wal, formatted("WAL segment \"{}\" is missing", name)).object(name);
    Result<WalSegmentReader> reader = WalSegmentReader::open(file->content, segment_size(), WalSegmentReader::Crc::kSkip);
    if (!reader.ok()) return std::move(reader).error().context(formatted("while reading WAL segment \"{}\"", name));
    while (const std::optional<WalRecord> record = reader->next()) {
        TRY_ASSIGN(const ScanStep step, visitor(*record, *reader));
        if (step == ScanStep::kStop) return {};
    }
    if (reader->end() != WalEnd::kContinues || index + 1 >= segments_.size()) return {};
    return visit_crossing(file->content, reader->valid_until(), index, visitor);
}

Result<void> WalScanner::visit_crossing(ByteView segment, Lsn begin, size_t index, const RecordVisitor& visitor) const {
    const std::string name = to_string(segments_[index + 1], segment_size());
    // Almost every record fits into a frame; one that does not says how long it is.
    TRY_ASSIGN(Bytes next, beginning_of(name, kFrameSize));
    Result<WalSegmentHeader> header = read_wal_segment_header(next);
    if (!header.ok()) return std::move(header).error().context(formatted("while reading WAL segment \"{}\"", name));
    const uint64_t pages = header->continued_bytes / (header->page_size - kLongHeader) + 2;
    if (pages * header->page_size > next.size()) {
        TRY_ASSIGN(next, beginning_of(name, pages * header->page_size));
    }
    const std::optional<Bytes> assembled = assemble_crossing_record(segment, begin, next);
    if (!assembled) return {};
    Result<WalSegmentReader> reader = WalSegmentReader::open(*assembled, segment_size(), WalSegmentReader::Crc::kSkip);
    if (!reader.ok()) return std::move(reader).error();
    std::optional<WalRecord> record = reader->next();
    if (!record) return {};
    record->lsn = begin;
    TRY(visitor(*record, *reader));
    return {};
}

}  // namespace steward
