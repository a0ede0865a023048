// Checking that what a repository holds can be restored.
//
// Content is read once: what was found whole is remembered in the repository (verification_record.h) and read again only when it
// looks different, when it was verified too long ago, or when the operator wants so. What depends on several objects, that every
// backup's packs and WAL are there, is checked every time.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/restore/restore_progress.h"

namespace steward {

enum class VerifyDepth {
    kContent,  ///< every byte is read and compared with its digest, unless it is remembered
    kQuick,    ///< heads, sizes, manifests and continuity; the content of packs and WAL is not read, nothing is remembered
};

enum class VerifyMemory {
    kUse,     ///< what earlier runs have verified is not read again
    kRenew,   ///< everything is read again, and remembered
    kIgnore,  ///< everything is read again, and nothing is written into the repository
};

struct VerifyOptions {
    VerifyDepth depth = VerifyDepth::kContent;
    VerifyMemory memory = VerifyMemory::kUse;
    std::optional<std::chrono::seconds> recheck_after{};  ///< kUse: what was verified longer ago is read again; nothing means never
    int workers = 2;                                    ///< 1..64
    std::chrono::seconds record_interval{600};          ///< a longer run writes down so often what it has done
    uint64_t random = 0;                                ///< makes the records' names unique among hosts
};

struct VerifyReport {
    uint64_t objects = 0;
    uint64_t bytes = 0;           ///< stored
    uint64_t objects_read = 0;    ///< by this run; the others were verified before
    uint64_t bytes_read = 0;
    uint64_t backups = 0;
    std::vector<Error> problems;  ///< each naming its object, in the order of the objects
    std::optional<Error> not_remembered;  ///< why the repository did not take the record: a read-only one does not
};

/// Check every object of the repository's cluster: digests, that each backup's manifest can be read and its packs are there as it knows
/// them, that the WAL from its start to its stop is there, and that no WAL after it is missing that the gap ledger does not account for
/// as given up or pruned. A problem found is no error but part of the report, and is found again by the next run. Objects that other
/// hosts remove meanwhile are no problem unless a backup needs them.
///
/// A run that ends early loses no more than `record_interval` of its work. Errors: as Storage::list; cancelled.
Result<VerifyReport> verify_repository(const Repository& repository, const VerifyOptions& options, const Clock& clock, RestoreProgress& progress,
                                       const CancelToken& cancel);

}  // namespace steward
