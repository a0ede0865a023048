// Reading a data directory into packs: the execution of a CopyPlan by several threads.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "core/backup/increment.h"
#include "core/backup/manifest.h"
#include "core/backup/page_check.h"
#include "core/backup/plan.h"
#include "core/backup/rate_limit.h"
#include "core/backup/scan.h"
#include "core/base/cancel.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/pace.h"
#include "core/postgres/pg_control.h"
#include "core/repository/repository.h"

namespace steward {

/// How far a copy is; read from any thread while it runs.
struct CopyCounters {
    std::atomic<uint64_t> bytes_done{0};        ///< of what was planned: vanished and unchanged content counts as done
    std::atomic<uint64_t> bytes_read{0};        ///< of the data directory
    std::atomic<uint64_t> repository_bytes{0};  ///< of packs, in each repository
};

struct CopyOptions {
    std::filesystem::path data_directory;
    ControlFile control;  ///< as at the backup's start: says whether pages have checksums
    Lsn start_lsn;
    int workers = 1;
    Compression compression;
    Pace pace = Pace::full();
    std::string pack_set;  ///< a name that no other run has
    RateLimit* rate_limit = nullptr;  ///< of all that is read of the data directory; borrowed
    ReadAt read = read_at;
};

/// What is copied, and what is known of it already.
struct CopySource {
    std::span<const ScannedFile> files;
    std::span<const FileTreatment> treatments{};  ///< one for each file, or none: all files are copied
    const IncrementBase* base = nullptr;        ///< what the treatments refer to
};

/// What was copied.
struct CopiedFiles {
    std::vector<ManifestPack> packs;  ///< new ones, then those of the base that are referred to
    std::vector<ManifestFile> files;  ///< in the order of the scanned files, without those that vanished
    std::vector<BadPage> bad_pages;

    uint64_t data_bytes() const;
};

/// Copy `source` as planned into every repository, durable on return. The first repository serves what must be known of the base.
///
/// A file that vanished is left out and one that was truncated ends where it ended when it was read, holes being zeros: WAL replay
/// does the same to the copy. A file that is no relation's and grew since the scan, as configuration does, is copied to its end.
/// Memory: two compressed packs a worker. New packs have numbers below copy_pack_limit. Errors: by errno naming the file; as
/// Repository::store; cancelled.
Result<CopiedFiles> copy_files(const CopyOptions& options, const CopySource& source, const CopyPlan& plan, std::span<const Repository> repositories,
                               CopyCounters& counters, Log& log, const CancelToken& cancel);

/// An upper bound of the numbers that packs of such a copy get.
unsigned copy_pack_limit(const CopyPlan& plan, int workers);

/// Largest file that is no whole number of pages and is compared with the base's copy of it; larger ones are stored anew.
inline constexpr uint64_t kLargestComparedWhole = 256 * 1024;

}  // namespace steward
