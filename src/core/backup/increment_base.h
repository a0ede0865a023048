// Finding the backup that a new one goes on from.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <span>

#include "core/backup/increment.h"
#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/repository/repository.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// Load the newest backup that every one of `repositories` (at least one) holds with the same content; nothing when there is none. One
/// that is damaged is passed over and logged. Packs that are missing somewhere, have another size than the manifest says, are
/// sparse, or were found damaged by a verification are not usable. Errors: as Storage::list and read; cancelled.
Result<std::optional<IncrementBase>> find_increment_base(std::span<const Repository> repositories, Log& log, const CancelToken& cancel);

/// Check that every repository still holds every pack of `packs` in its size. Errors: wrong_state naming one that is not there; as
/// Storage::list.
Result<void> check_packs_are_there(std::span<const Repository> repositories, std::span<const ManifestPack> packs);

/// Whether WAL summaries may stand for reading pages: all that is known without looking at them. Pure.
struct SummaryTrust {
    TimelineId timeline = 0;  ///< of this backup's start
    Lsn start_lsn;            ///< likewise
    TimePoint started;        ///< likewise
    bool data_checksums = false;  ///< whether pages have checksums now
    std::chrono::seconds full_read_interval{0};
};
bool may_trust_summaries(const BackupSummary& base, const SummaryTrust& trust);

/// Read the blocks that WAL of `timeline` from `begin` to `end` changes, from the server's summaries in `data_directory`. Waits at most
/// `patience` for the server to write the last ones, which it does a moment after the checkpoint. Nothing when summaries are missing;
/// one that is damaged is logged and counts as missing. Errors: as read_file; cancelled.
Result<std::optional<ChangedBlocks>> read_changed_blocks(const std::filesystem::path& data_directory, TimelineId timeline, Lsn begin, Lsn end,
                                                         std::chrono::milliseconds patience, RetryTimer& timer, Log& log, const CancelToken& cancel);

}  // namespace steward
