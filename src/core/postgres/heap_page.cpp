#include "core/postgres/heap_page.h"

#include "core/postgres/page.h"

namespace steward {

namespace {

// src/include/access/htup_details.h, unchanged since 9.3.
constexpr uint16_t kXmaxExclusiveLock = 0x0040;
constexpr uint16_t kXmaxLockOnly = 0x0080;
constexpr uint16_t kXmaxLockMask = 0x0050;
constexpr uint16_t kXminCommitted = 0x0100;
constexpr uint16_t kXminInvalid = 0x0200;
constexpr uint16_t kXminFrozen = kXminCommitted | kXminInvalid;
constexpr uint16_t kXmaxCommitted = 0x0400;
constexpr uint16_t kXmaxInvalid = 0x0800;
constexpr uint16_t kXmaxIsMulti = 0x1000;
constexpr uint16_t kAttributesMask = 0x07FF;

// HeapTupleHeaderData: xmin, xmax, a command number, ctid (6 bytes), infomask2, infomask, hoff, null bitmap.
constexpr size_t kXmaxOffset = 4;
constexpr size_t kInfomask2Offset = 18;
constexpr size_t kInfomaskOffset = 20;
constexpr size_t kHeaderLengthOffset = 22;
constexpr size_t kTupleHeaderSize = 23;

constexpr size_t kLinePointerSize = 4;
constexpr uint32_t kNormalLinePointer = 1;  // LP_NORMAL

bool is_lock_only(uint16_t infomask) {
    // The second form is of clusters that pg_upgrade brought from before 9.3 (HEAP_XMAX_IS_LOCKED_ONLY).
    return (infomask & kXmaxLockOnly) != 0 || (infomask & (kXmaxIsMulti | kXmaxLockMask)) == kXmaxExclusiveLock;
}

}  // namespace

bool HeapTuple::is_never_inserted() const { return (infomask & kXminFrozen) == kXminInvalid; }

bool HeapTuple::is_frozen() const { return (infomask & kXminFrozen) == kXminFrozen; }

bool HeapTuple::is_insert_committed() const { return (infomask & kXminFrozen) == kXminCommitted; }

bool HeapTuple::is_delete_possible() const { return xmax != 0 && (infomask & kXmaxInvalid) == 0 && !is_lock_only(infomask); }

bool HeapTuple::is_delete_by_xmax() const { return is_delete_possible() && (infomask & kXmaxIsMulti) == 0; }

bool HeapTuple::is_delete_committed() const { return is_delete_by_xmax() && (infomask & kXmaxCommitted) != 0; }

std::vector<HeapTuple> heap_tuples(ByteView page) {
    std::vector<HeapTuple> tuples;
    if (page.size() != kPageSize || is_new_page(page) || !has_sane_header(page)) return tuples;
    const size_t pointers_end = std::min<size_t>(read_page_header(page).lower, kPageSize);
    for (size_t at = kPageHeaderSize; at + kLinePointerSize <= pointers_end; at += kLinePointerSize) {
        // ItemIdData: 15 bits offset, 2 bits state, 15 bits length, from the lowest bit on.
        const uint32_t pointer = load_le<uint32_t>(page.data() + at);
        const size_t offset = pointer & 0x7FFF, length = pointer >> 17;
        if (((pointer >> 15) & 3) != kNormalLinePointer) continue;
        if (length < kTupleHeaderSize || offset < pointers_end || offset > kPageSize || length > kPageSize - offset) continue;
        const ByteView tuple = page.subspan(offset, length);
        const size_t header = load_le<uint8_t>(tuple.data() + kHeaderLengthOffset);
        if (header < kTupleHeaderSize || header > length) continue;
        tuples.push_back({load_le<uint32_t>(tuple.data()), load_le<uint32_t>(tuple.data() + kXmaxOffset),
                          load_le<uint16_t>(tuple.data() + kInfomaskOffset),
                          static_cast<uint16_t>(load_le<uint16_t>(tuple.data() + kInfomask2Offset) & kAttributesMask), tuple.subspan(header)});
    }
    return tuples;
}

}  // namespace steward
