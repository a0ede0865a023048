// How fast a backup may read: a server has other things to do with its disks.
#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// Lets a number of bytes a second pass, over all threads together. What was not used up to a tenth of a second ago may be made up for;
/// what was not used before is lost, so that a pause is not followed by a rush.
class RateLimit {
public:
    /// `bytes_per_second` of 0 means no limit. `timer` outlives this.
    RateLimit(uint64_t bytes_per_second, RetryTimer& timer);

    /// Wait until `bytes` may pass. Thread-safe; who comes first is served first. Errors: cancelled.
    Result<void> take(uint64_t bytes, const CancelToken& cancel);

private:
    using Time = std::chrono::steady_clock::time_point;

    /// Reserve the bytes. Returns from when on they may pass.
    Time reserve(uint64_t bytes, Time now);

    const uint64_t bytes_per_second_;
    RetryTimer& timer_;
    std::mutex mutex_;
    Time free_from_;  ///< when all that was reserved has passed; guarded by mutex_
};

}  // namespace steward
