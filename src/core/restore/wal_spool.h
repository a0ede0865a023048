// WAL fetched ahead of recovery: a directory beside the file that the server asked for.
//
//   NAME       a whole segment, verified
//   .NAME.tmp  one being fetched
//   .asked     the segment the server asked for last: where the window begins
//   .lock      held by the one prefetcher that runs
#pragma once

#include <filesystem>
#include <optional>
#include <span>
#include <string>

#include "core/base/cancel.h"
#include "core/base/file.h"
#include "core/base/result.h"
#include "core/postgres/wal_name.h"
#include "core/repository/repository.h"

namespace steward {

/// How far ahead to fetch.
struct PrefetchWindow {
    unsigned segments = 16;
    int workers = 3;
};

/// The spool of one recovery. Any number of processes may use it at once: files appear whole or not at all.
class WalSpool {
public:
    /// The spool for requests into `pg_wal`. Does nothing yet.
    WalSpool(const std::filesystem::path& pg_wal, uint32_t segment_size);

    const std::filesystem::path& directory() const { return directory_; }

    /// Move segment `name` to `destination` if it is here whole. Errors: by errno.
    Result<bool> take(WalSegmentName name, const std::filesystem::path& destination);

    /// Remember that `name` was asked for, make the directory, and remove what no later request of this recovery can want:
    /// segments of other timelines and those not after `name`. Errors: by errno.
    Result<void> advance(WalSegmentName name);

    /// The segment that was asked for last, or nothing when there is no spool (any more).
    std::optional<WalSegmentName> asked() const;

    bool has(WalSegmentName name) const;
    /// Whether less than half of the window after `asked` is there: then it is worth starting a prefetcher.
    bool wants_more(WalSegmentName asked, const PrefetchWindow& window) const;
    /// Remove the spool with all that is in it: recovery has come to the end of the WAL. A prefetcher that runs ends.
    void clear();
    /// Add a whole segment. Errors: by errno.
    Result<void> add(WalSegmentName name, ByteView content);

    /// Become the one that fetches ahead, until the descriptor is closed. Nothing when another one is it. Errors: by errno.
    Result<std::optional<UniqueFd>> lock();

private:
    std::filesystem::path path_of(WalSegmentName name) const;

    std::filesystem::path directory_;
    uint32_t segment_size_;
};

/// Fetch the segments after the one asked for last until the window is full, following it as it slides. Returns when the window
/// is full, WAL ends, the spool vanishes or another prefetcher runs. Errors: as fetch_wal_file; by errno.
Result<void> prefetch_wal(WalSpool& spool, std::span<const Repository> repositories, const PrefetchWindow& window, const CancelToken& cancel);

}  // namespace steward
