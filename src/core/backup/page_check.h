// Verifying the pages of relation files while a running server writes them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/postgres/pg_control.h"
#include "core/postgres/relation_file.h"

namespace steward {

/// Reads up to `into.size()` bytes at `offset`, fewer only at the end of the file: read_at, or what a test puts in its place.
using ReadAt = std::function<Result<size_t>(int fd, uint64_t offset, MutableByteView into, const std::filesystem::path& path)>;

/// A page that is damaged on disk, not merely caught half-written.
struct BadPage {
    std::string path;        ///< relative to the data directory
    uint64_t offset = 0;     ///< in the file
    uint32_t block_number = 0;  ///< in the relation
    uint16_t expected = 0;   ///< the checksum its content has
    uint16_t found = 0;      ///< the checksum stored in it
};

/// Judges pages by the rule of src/backend/backup/basebackup.c: a page changed since the backup's start is replaced by a
/// full-page image when its WAL is replayed, so that only a page with an older LSN can be damaged. For one thread.
class PageCheck {
public:
    /// What must be known of the cluster. `start_lsn` is where the backup starts.
    PageCheck(const ControlFile& control, Lsn start_lsn, const ReadAt& read)
        : enabled_(control.has_data_checksums() && control.page_size == kExpectedPageSize),
          pages_per_segment_(control.pages_per_relation_segment),
          start_lsn_(start_lsn),
          read_(read) {}

    /// The relation file at `path` if its pages have checksums to verify, else nothing.
    std::optional<RelationFile> checked_file(const std::string& path) const;

    /// Verify the whole pages in `content`, which was read at `offset` of `file`; a rest shorter than a page is passed over.
    /// A page that fails is read again, in place, a few times: a running server writes pages while we read. What stays bad goes
    /// to `bad_pages`. Errors: as read.
    Result<void> verify(const RelationFile& file, const std::string& path, int fd, uint64_t offset, MutableByteView content);

    const std::vector<BadPage>& bad_pages() const { return bad_pages_; }

private:
    static constexpr uint32_t kExpectedPageSize = 8192;

    Result<void> recheck(const std::string& path, int fd, uint64_t offset, uint32_t block_number, MutableByteView page);

    bool enabled_;
    uint32_t pages_per_segment_;
    Lsn start_lsn_;
    const ReadAt& read_;
    std::vector<BadPage> bad_pages_;
};

}  // namespace steward
