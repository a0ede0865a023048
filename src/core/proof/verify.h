// Checking that what a repository holds can be restored.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/restore/restore_progress.h"

namespace steward {

enum class VerifyDepth {
    kContent,  ///< every byte is read and compared with its digest
    kQuick,    ///< heads, sizes, manifests and continuity; the content of packs and WAL is not read
};

struct VerifyReport {
    uint64_t objects = 0;
    uint64_t bytes = 0;           ///< stored
    uint64_t backups = 0;
    std::vector<Error> problems;  ///< each naming its object, in the order of the objects
};

/// Check every object of the repository's cluster: digests, that each backup's manifest can be read and its packs are there with
/// the sizes it knows, and that the WAL from its start to its stop is there. A problem found is no error but part of the report.
/// Errors: as Storage::list; cancelled.
Result<VerifyReport> verify_repository(const Repository& repository, VerifyDepth depth, int workers, RestoreProgress& progress,
                                       const CancelToken& cancel);

}  // namespace steward
