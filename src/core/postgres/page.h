// Pages of relation files: their header and their checksum.
#pragma once

#include <cstdint>

#include "core/base/bytes.h"
#include "core/postgres/lsn.h"

namespace steward {

/// BLCKSZ of every packaged PostgreSQL.
inline constexpr size_t kPageSize = 8192;
/// sizeof(PageHeaderData) without line pointers (src/include/storage/bufpage.h, unchanged since 8.3).
inline constexpr size_t kPageHeaderSize = 24;

/// Whether a file of `size` bytes can be a sequence of whole pages. Any file may be by chance.
constexpr bool consists_of_pages(uint64_t size) { return size % kPageSize == 0; }

/// The fields of a page's header, as stored: nothing in them is checked.
struct PageHeader {
    Lsn lsn;  ///< end of the last WAL record that changed the page
    uint16_t checksum = 0;
    uint16_t flags = 0;
    uint16_t lower = 0;
    uint16_t upper = 0;
    uint16_t special = 0;
    uint16_t page_size_and_version = 0;  ///< the low byte is the layout version, 4 since 8.3
};

/// Read the header of `page`, which has at least kPageHeaderSize bytes.
PageHeader read_page_header(ByteView page);

/// Whether the page was extended but never initialised (PageIsNew: pd_upper is zero).
bool is_new_page(ByteView page);

/// Whether the header's offsets and page size fit each other, as PageIsVerified of src/backend/storage/page/bufpage.c
/// wants of a page that is not new. Cheap evidence of damage for clusters without checksums.
bool has_sane_header(ByteView page);

/// The checksum the server would store in `page`, the block numbered `block_number` in its relation (not its segment):
/// src/include/storage/checksum_impl.h, unchanged since 9.3. The stored checksum does not take part. `page` is a whole page,
/// of any alignment, with a size that is a multiple of 128 bytes. Any thread; memory speed.
uint16_t page_checksum(ByteView page, uint32_t block_number);

enum class PageVerdict {
    kValid,
    kNew,          ///< never initialised and all zeros: has no checksum
    kBadChecksum,  ///< damaged, in the wrong place, or caught half-written by a running server: read it again
};

/// Judge one page of a cluster with data checksums. A page that looks new but has other bytes than zeros is damaged
/// (PageIsVerified).
PageVerdict verify_page(ByteView page, uint32_t block_number);

}  // namespace steward
