// Opening repositories that are there already.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/settings/settings.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// What opening needs; outlives every store opened with it.
struct ReadingContext {
    const Clock& clock;
    RetryTimer& timer;
    CancelToken cancel;
    std::chrono::milliseconds patience{60'000};  ///< how long a call that may succeed later is repeated
    std::optional<uint64_t> system_identifier{};  ///< whose part is opened, when it is not that of who has the cluster's name now
};

struct OpenedRepositories {
    std::vector<Repository> repositories;  ///< in the order of the setting
    std::vector<Error> unavailable;        ///< of those that could not be opened
};

/// Open one store to read from it. Errors: as open_storage.
Result<std::unique_ptr<Storage>> open_storage_for_reading(const StorageUrl& url, const ReadingContext& context);

/// Open every repository of `settings`. One that cannot be opened does not keep the others from serving: it is told of in
/// `unavailable`. A repository of another database cluster than the first one's counts as such. Errors: configuration when
/// none is set; the first repository's error when none could be opened.
Result<OpenedRepositories> open_repositories_for_reading(const Settings& settings, const ReadingContext& context);

/// The same, to write to them too. Claims nothing: the cluster is there. Errors: as open_repositories_for_reading.
Result<OpenedRepositories> open_repositories_for_writing(const Settings& settings, const ReadingContext& context);

}  // namespace steward
