// Keeping a backup, and letting it go again, in every repository that has it.
#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/repository/repository.h"
#include "core/storage/retry_storage.h"

namespace steward {

enum class KeepAction {
    kKeep,     ///< pin the backup
    kRelease,  ///< leave it to the retention policy again
};

struct KeepContext {
    const Clock& clock;
    RetryTimer& timer;
    CancelToken cancel = {};
    std::chrono::milliseconds patience{60'000};  ///< how long to wait for an expiry that runs
};

/// Keep or release the backup `label` in each of `repositories` that has it. Returns the URLs of those. `note` is for people, and only for
/// kKeep. Doing it again is fine. Errors: invalid_argument for a bad label, not_found when no repository has the backup, busy when an expiry
/// runs for longer than `patience`; as Storage. After an error some of the repositories may have been changed.
Result<std::vector<std::string>> keep_backup(std::span<const Repository> repositories, KeepAction action, std::string_view label,
                                             std::string_view note, const KeepContext& context);

}  // namespace steward
