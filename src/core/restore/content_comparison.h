// What of a file's content is in place already, so that a restore need not fetch and write it.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/backup/manifest.h"
#include "core/backup/page_table.h"
#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/repository/repository.h"

namespace steward {

/// A part of a file, and what it is to add to the file's checksum.
struct ContentPiece {
    uint64_t offset = 0;
    uint64_t length = 0;
    uint32_t crc = 0;  ///< CRC-32C; 0 where the manifest knows the whole file's
};

struct ComparedFile {
    std::vector<ContentPiece> kept;    ///< in place, in order
    std::vector<ManifestRun> missing;  ///< to be fetched, in order
};

/// Whether anything in a pack or the manifest tells what the content of `file` is. What cannot be compared is best written anew.
bool is_comparable(const Manifest& manifest, const ManifestFile& file);

/// Compares files with a backup: pages with the digests in its packs, small files that do not consist of pages with the manifest's. For
/// one thread. Borrows everything for its lifetime.
class ContentComparison {
public:
    /// `repository` holds the packs; tables that cannot be read are logged, and what they describe counts as missing.
    ContentComparison(const Repository& repository, const Manifest& manifest, Log& log);

    /// Compare the open file, which has `file.size` bytes of which those from `present` on are zeros. What the backup has no content for
    /// is made zero where it is not. Adds the bytes looked at to `done`. Errors: by errno, naming `path`; cancelled.
    Result<ComparedFile> compare(const ManifestFile& file, int fd, uint64_t present, const std::filesystem::path& path, std::atomic<uint64_t>& done,
                                 const CancelToken& cancel);

private:
    /// The file at hand.
    struct Subject {
        const ManifestFile& file;
        int fd;
        uint64_t present;
        const std::filesystem::path& path;
        std::atomic<uint64_t>& done;
        const CancelToken& cancel;
        ComparedFile result{};
    };

    Result<void> compare_whole(Subject& subject);
    Result<void> compare_run(Subject& subject, const ManifestRun& run);
    Result<void> clear_gap(Subject& subject, uint64_t begin, uint64_t end);
    Result<ByteView> read(Subject& subject, uint64_t offset, uint64_t length);

    const Manifest& manifest_;
    PageTableReader pages_;
    Bytes buffer_;
};

}  // namespace steward
