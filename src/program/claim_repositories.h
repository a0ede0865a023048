// Opening the repositories that a server writes to.
#pragma once

#include <vector>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/protocol/messages.h"
#include "core/repository/repository.h"
#include "core/storage/retry_storage.h"

namespace steward {

/// Who the server is, as the repository records it.
Identity identity_of(const ServerFacts& facts);

/// Open every repository of `settings` for writing, claiming the cluster's name where nobody has, or where who has is a predecessor by the mark
/// of succession in the data directory. `clock` outlives the result.
/// The place itself (file: the directory) is not created: a missing one is most likely a volume that is not mounted.
/// Errors: as open_storage and Repository::open_or_claim, with the repository in the context.
Result<std::vector<Repository>> claim_repositories(const Settings& settings, const ServerFacts& facts, const Clock& clock);

/// The same, with storages that repeat calls that may succeed later until `cancel`: for work that a short outage must not end.
/// `timer` outlives the result.
Result<std::vector<Repository>> claim_repositories_patiently(const Settings& settings, const ServerFacts& facts, const Clock& clock,
                                                             RetryTimer& timer, const CancelToken& cancel);

}  // namespace steward
