// Copying the files of a data directory into packs.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "core/backup/page_check.h"
#include "core/backup/plan.h"
#include "core/backup/scan.h"
#include "core/base/cancel.h"
#include "core/base/file.h"
#include "core/base/result.h"
#include "core/codec/compression.h"
#include "core/postgres/lsn.h"
#include "core/postgres/pg_control.h"
#include "core/repository/repository.h"

namespace steward {

/// How far a copy is; read from any thread while it runs.
struct CopyCounters {
    std::atomic<uint64_t> bytes_done{0};        ///< of what was planned: vanished content counts as done
    std::atomic<uint64_t> repository_bytes{0};  ///< of packs, in each repository
};

struct CopyOptions {
    std::filesystem::path data_directory;
    ControlFile control;  ///< as at the backup's start: says whether pages have checksums
    Lsn start_lsn;
    int workers = 1;
    Compression compression;
    std::string pack_set;  ///< a name that no other run has
    ReadAt read = read_at;
};

/// What was copied.
struct CopiedFiles {
    std::vector<ManifestPack> packs;
    std::vector<ManifestFile> files;  ///< in the order of the scanned files, without those that vanished
    std::vector<BadPage> bad_pages;

    uint64_t data_bytes() const;
    uint64_t repository_bytes() const;
};

/// Copy `files` as planned into every repository, durable on return.
///
/// A file that vanished is left out and one that was truncated ends where it ended when it was read, holes being zeros: WAL replay
/// does the same to the copy. A file that is no relation's and grew since the scan, as configuration does, is copied to its end.
/// Memory: two compressed packs a worker. Errors: by errno naming the file; as Repository::store; cancelled.
Result<CopiedFiles> copy_files(const CopyOptions& options, std::span<const ScannedFile> files, const CopyPlan& plan,
                               std::span<const Repository> repositories, CopyCounters& counters, const CancelToken& cancel);

/// The crc32c of `length` zeros. O(log² length).
uint32_t crc32c_of_zeros(uint64_t length);

}  // namespace steward
