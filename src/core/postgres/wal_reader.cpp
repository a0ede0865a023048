#include "core/postgres/wal_reader.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

#include "core/base/format.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/pg_control.h"

// A segment is a row of pages. Every page begins with a header of 24 bytes (XLogPageHeaderData), the first one of a segment
// with 40 (XLogLongPageHeaderData). Records begin at multiples of eight and run on across page headers; a page that begins
// inside a record says so, with the number of bytes still to come. (src/include/access/xlog_internal.h, xlogrecord.h)

namespace steward {

namespace {

constexpr size_t kShortHeader = 24;
constexpr size_t kLongHeader = 40;
constexpr uint16_t kFirstIsContinuation = 0x0001;  // XLP_FIRST_IS_CONTRECORD
constexpr uint16_t kHasLongHeader = 0x0002;        // XLP_LONG_HEADER

constexpr size_t kCrcOffset = 20;

constexpr std::pair<int, uint16_t> kMagics[] = {
    {13, 0xD106}, {14, 0xD10D}, {15, 0xD110}, {16, 0xD113}, {17, 0xD116}, {18, 0xD118}, {19, 0xD122},
};

struct PageHead {
    uint16_t magic, flags;
    TimelineId timeline;
    uint64_t address;
    uint32_t remaining;
};

PageHead read_page_head(const std::byte* page) {
    return {load_le<uint16_t>(page), load_le<uint16_t>(page + 2), load_le<uint32_t>(page + 4), load_le<uint64_t>(page + 8),
            load_le<uint32_t>(page + 16)};
}

/// XLP_FIRST_IS_OVERWRITE_CONTRECORD: the record cut off here by a crash was given up. 19 dropped XLP_BKP_REMOVABLE and moved it.
uint16_t overwrite_flag(int major) { return major >= 19 ? 0x0004 : 0x0008; }

int major_of_magic(uint16_t magic) {
    const auto* found = std::find_if(std::begin(kMagics), std::end(kMagics), [&](const auto& m) { return m.second == magic; });
    return found == std::end(kMagics) ? 0 : found->first;
}

size_t align8(size_t value) { return (value + 7) & ~size_t{7}; }

Error bad_header(std::string detail) {
    return Error(ErrorCode::corrupt_object, "WAL segment has an invalid first page").detail(std::move(detail));
}

}  // namespace

uint16_t wal_page_magic_of(int major) {
    const auto* found = std::find_if(std::begin(kMagics), std::end(kMagics), [&](const auto& m) { return m.first == major; });
    return found == std::end(kMagics) ? 0 : found->second;
}

Result<WalSegmentHeader> read_wal_segment_header(ByteView segment) {
    if (segment.size() < kLongHeader) return bad_header(formatted("It has only {} bytes.", segment.size()));
    const PageHead head = read_page_head(segment.data());
    WalSegmentHeader header{.major = major_of_magic(head.magic),
                            .timeline = head.timeline,
                            .start = {head.address},
                            .system_identifier = load_le<uint64_t>(segment.data() + 24),
                            .segment_size = load_le<uint32_t>(segment.data() + 32),
                            .page_size = load_le<uint32_t>(segment.data() + 36),
                            .continued_bytes = head.flags & kFirstIsContinuation ? head.remaining : 0};
    if (head.magic == 0) return bad_header("It begins with zeros: nothing was written to it.");
    if (header.major == 0)
        return Error(ErrorCode::wrong_version, formatted("WAL segment has the unknown magic number {:04X}", head.magic))
            .detail(formatted("This release reads WAL of PostgreSQL {} to {}.", kOldestKnownMajor, kNewestKnownMajor));
    if (!(head.flags & kHasLongHeader)) return bad_header("It has no long header.");
    if (head.timeline == 0) return bad_header("Its timeline is 0.");
    if (!is_valid_wal_segment_size(header.segment_size))
        return bad_header(formatted("Its segment size is {}.", header.segment_size));
    if (!std::has_single_bit(header.page_size) || header.page_size < 1024 || header.page_size > 65536)
        return bad_header(formatted("Its page size is {}.", header.page_size));
    if (header.start.value % header.segment_size != 0) return bad_header(formatted("Its address is {}.", header.start));
    return header;
}

Result<WalSegmentReader> WalSegmentReader::open(ByteView segment, uint32_t segment_size, Crc crc, std::optional<Lsn> from) {
    TRY_ASSIGN(const WalSegmentHeader header, read_wal_segment_header(segment));
    if (header.segment_size != segment_size)
        return bad_header(formatted("Its segment size is {}, but the cluster's is {}.", header.segment_size, segment_size));
    WalSegmentReader reader(segment.first(std::min<size_t>(segment.size(), segment_size)), header, crc);
    reader.last_timeline_ = header.timeline;
    if (!from) {
        reader.skip_continuation();
        return reader;
    }
    const size_t in_page = from->value % header.page_size;
    if (*from < header.start || *from - header.start >= segment_size || from->value % 8 != 0 ||
        (in_page != 0 && in_page < kShortHeader))
        return Error(ErrorCode::invalid_argument,
                     formatted("no record of the WAL segment that begins at {} can start at {}", header.start, *from));
    reader.position_ = *from - header.start;
    // The page of a record in its middle is entered here; at its beginning `next` does.
    if (in_page != 0) {
        const PageCheck check = reader.check_page(reader.position_ - in_page);
        if (check != PageCheck::kGood) reader.stop(check == PageCheck::kMissing ? WalEnd::kTruncated : WalEnd::kEndOfData);
    }
    return reader;
}

size_t WalSegmentReader::page_header_size(size_t page) const { return page == 0 ? kLongHeader : kShortHeader; }

WalSegmentReader::PageCheck WalSegmentReader::check_page(size_t page) {
    if (segment_.size() < page + page_header_size(page)) return PageCheck::kMissing;
    const PageHead head = read_page_head(segment_.data() + page);
    const bool good = major_of_magic(head.magic) == header_.major && head.address == header_.start.value + page &&
                      head.timeline >= last_timeline_ && ((head.flags & kHasLongHeader) != 0) == (page == 0);
    if (good) last_timeline_ = head.timeline;
    return good ? PageCheck::kGood : PageCheck::kForeign;
}

std::nullopt_t WalSegmentReader::stop(WalEnd end) {
    end_ = end;
    return std::nullopt;
}

/// Move to the first record that starts in this segment, over the end of one that started before.
void WalSegmentReader::skip_continuation() {
    size_t remaining = header_.continued_bytes;
    if (remaining == 0) return;
    size_t page = 0;
    for (;;) {
        const PageHead head = read_page_head(segment_.data() + page);
        // A record given up after a crash: its continuation never came, and the page begins afresh.
        if (page != 0 && (head.flags & overwrite_flag(header_.major))) {
            position_ = page;
            return;
        }
        if (!(head.flags & kFirstIsContinuation) || head.remaining != remaining)
            return static_cast<void>(stop(WalEnd::kEndOfData));
        const size_t in_page = header_.page_size - page_header_size(page);
        if (remaining <= in_page) {
            position_ = page + align8(page_header_size(page) + remaining);
            return;
        }
        remaining -= in_page;
        page += header_.page_size;
        position_ = page;
        if (page >= header_.segment_size) return static_cast<void>(stop(WalEnd::kContinues));
        const PageCheck check = check_page(page);
        if (check == PageCheck::kMissing) return static_cast<void>(stop(WalEnd::kTruncated));
        if (check == PageCheck::kForeign) return static_cast<void>(stop(WalEnd::kEndOfData));
    }
}

template <typename Use>
void WalSegmentReader::for_each_piece(size_t position, size_t length, Use use) const {
    while (length != 0) {
        const size_t page = position & ~size_t{header_.page_size - 1};
        const size_t piece = std::min<size_t>(length, page + header_.page_size - position);
        use(segment_.subspan(position, piece));
        length -= piece;
        position = page + header_.page_size + kShortHeader;
    }
}

std::optional<WalRecord> WalSegmentReader::next() {
    while (end_ == WalEnd::kNone) {
        const auto begin = find_record_begin();
        if (!begin) return std::nullopt;
        const auto end = find_record_end(*begin);
        if (end) return take_record(*begin, *end);
    }
    return std::nullopt;
}

/// Where the next record begins, past the page header it may stand behind; nothing at the end of what can be read.
std::optional<size_t> WalSegmentReader::find_record_begin() {
    if (position_ >= header_.segment_size) return stop(WalEnd::kSegmentEnd);
    size_t begin = position_;
    if (begin % header_.page_size == 0) {
        const PageCheck check = check_page(begin);
        if (check != PageCheck::kGood) return stop(check == PageCheck::kMissing ? WalEnd::kTruncated : WalEnd::kEndOfData);
        // A record ended exactly with the page before: nothing can continue here.
        if (read_page_head(segment_.data() + begin).flags & kFirstIsContinuation) return stop(WalEnd::kBadRecord);
        begin += page_header_size(begin);
    }
    // Records begin at multiples of eight, so that the length is never cut by a page.
    if (segment_.size() < begin + sizeof(uint64_t)) return stop(WalEnd::kTruncated);
    const auto length = load_le<uint32_t>(segment_.data() + begin);
    if (length == 0) return stop(WalEnd::kEndOfData);
    if (length < kRecordHeader) return stop(WalEnd::kBadRecord);
    // Judge the link before following the length: in a recycled segment both are an older record's.
    const bool header_in_page = begin % header_.page_size + kRecordHeader <= header_.page_size;
    if (header_in_page && segment_.size() >= begin + kRecordHeader && !is_linked(begin)) return stop(WalEnd::kEndOfData);
    return begin;
}

/// Where the record at `begin` ends, after entering every page it reaches. Nothing at the end of what can be read, and when
/// the record was given up: then the position moved to the page where writing went on.
std::optional<size_t> WalSegmentReader::find_record_end(size_t begin) {
    size_t page_end = begin - begin % header_.page_size + header_.page_size;
    size_t end = begin + load_le<uint32_t>(segment_.data() + begin);
    while (end > page_end) {
        const size_t remaining = end - page_end;
        if (page_end >= header_.segment_size) return stop(WalEnd::kContinues);
        const PageCheck check = check_page(page_end);
        if (check != PageCheck::kGood) return stop(check == PageCheck::kMissing ? WalEnd::kTruncated : WalEnd::kEndOfData);
        const PageHead head = read_page_head(segment_.data() + page_end);
        if (head.flags & overwrite_flag(header_.major)) {
            position_ = page_end;
            return std::nullopt;
        }
        if (!(head.flags & kFirstIsContinuation) || head.remaining != remaining) return stop(WalEnd::kBadRecord);
        end = page_end + kShortHeader + remaining;
        page_end += header_.page_size;
    }
    if (end > segment_.size()) return stop(WalEnd::kTruncated);
    return end;
}

std::optional<WalRecord> WalSegmentReader::take_record(size_t begin, size_t end) {
    const RecordHead head = copy_head(begin);
    WalRecord record{.lsn = header_.start + begin,
                     .end_lsn = {},
                     .previous_lsn = {load_le<uint64_t>(head.data() + 8)},
                     .length = load_le<uint32_t>(head.data()),
                     .xid = load_le<uint32_t>(head.data() + 4),
                     .resource_manager = std::to_integer<uint8_t>(head[17]),
                     .info = std::to_integer<uint8_t>(head[16])};
    if (!is_linked(begin)) return stop(WalEnd::kEndOfData);
    if (crc_ == Crc::kVerify && !crc_matches(begin, record.length)) return stop(WalEnd::kBadRecord);
    last_record_ = record.lsn;
    record_position_ = begin;
    record_length_ = record.length;
    position_ = kind_of(record) == WalRecordKind::kSwitch ? header_.segment_size : align8(end);
    record.end_lsn = valid_until();
    return record;
}

WalSegmentReader::RecordHead WalSegmentReader::copy_head(size_t begin) const {
    RecordHead head;
    size_t copied = 0;
    for_each_piece(begin, head.size(), [&](ByteView piece) {
        std::memcpy(head.data() + copied, piece.data(), piece.size());
        copied += piece.size();
    });
    return head;
}

/// Whether the record at `begin` names the one before it as its predecessor.
bool WalSegmentReader::is_linked(size_t begin) const {
    const Lsn previous{load_le<uint64_t>(copy_head(begin).data() + 8)};
    return last_record_.valid() ? previous == last_record_ : previous < header_.start + begin;
}

bool WalSegmentReader::crc_matches(size_t begin, size_t length) const {
    // The CRC covers what follows the header first, and then the header up to the CRC itself (ValidXLogRecord).
    uint32_t crc = 0;
    size_t header_left = kRecordHeader;
    for_each_piece(begin, length, [&](ByteView piece) {
        const size_t of_header = std::min(piece.size(), header_left);
        header_left -= of_header;
        crc = crc32c(piece.subspan(of_header), crc);
    });
    const RecordHead head = copy_head(begin);
    return crc32c(ByteView(head).first(kCrcOffset), crc) == load_le<uint32_t>(head.data() + kCrcOffset);
}

Bytes WalSegmentReader::copy_record() const {
    Bytes record;
    record.reserve(record_length_);
    for_each_piece(record_position_, record_length_,
                   [&](ByteView piece) { record.insert(record.end(), piece.begin(), piece.end()); });
    return record;
}

Result<Bytes> WalSegmentReader::main_data() const {
    // After the record's header come headers of blocks and, last, one of the main data; then the blocks' data and, at the
    // very end, the main data (DecodeXLogRecord in xlogreader.c).
    constexpr uint8_t kMostBlocks = 32, kShortData = 255, kLongData = 254, kOrigin = 253, kTopLevelXid = 252;
    constexpr uint8_t kHasImage = 0x10, kSameRelation = 0x80;
    constexpr uint8_t kImageHasHole = 0x01;
    // 13 and 14 had one compression and its flag elsewhere.
    const uint8_t compressed = header_.major >= 15 ? 0x04 | 0x08 | 0x10 : 0x02;

    const Bytes record = copy_record();
    const auto damaged = [&] {
        return Error(ErrorCode::corrupt_object, formatted("WAL record at {} is damaged", header_.start + record_position_));
    };
    size_t place = kRecordHeader;
    size_t data = 0;  // of blocks, behind the headers
    const auto has = [&](size_t bytes) { return place + bytes <= record.size(); };
    while (place + data < record.size()) {
        const auto id = std::to_integer<uint8_t>(record[place++]);
        if (id == kShortData || id == kLongData) {
            const size_t width = id == kShortData ? 1 : 4;
            if (!has(width)) return damaged();
            const size_t length = id == kShortData ? std::to_integer<uint8_t>(record[place]) : load_le<uint32_t>(&record[place]);
            if (place + width + data + length != record.size()) return damaged();
            return Bytes(record.end() - static_cast<ptrdiff_t>(length), record.end());
        }
        if (id == kOrigin) {
            place += 2;
        } else if (id == kTopLevelXid) {
            place += 4;
        } else if (id <= kMostBlocks) {
            if (!has(3)) return damaged();
            const auto flags = std::to_integer<uint8_t>(record[place]);
            data += load_le<uint16_t>(&record[place + 1]);
            place += 3;
            if (flags & kHasImage) {
                if (!has(5)) return damaged();
                data += load_le<uint16_t>(&record[place]);
                const auto image = std::to_integer<uint8_t>(record[place + 4]);
                place += (image & compressed) && (image & kImageHasHole) ? 7 : 5;
            }
            place += (flags & kSameRelation ? 0 : 12) + 4;
        } else {
            return damaged();
        }
    }
    if (place + data != record.size()) return damaged();
    return Bytes();
}

}  // namespace steward
