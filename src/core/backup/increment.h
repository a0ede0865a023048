// What a new backup need not store, because an earlier one has. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/backup/manifest.h"
#include "core/backup/scan.h"
#include "core/postgres/wal_summary.h"

namespace steward {

/// An earlier backup whose stored content a new one may refer to.
struct IncrementBase {
    Manifest manifest;
    std::vector<bool> usable;  ///< by pack: it is in every repository, and worth being referred to
};

struct ByteRange {
    uint64_t offset = 0;
    uint64_t length = 0;

    bool operator==(const ByteRange&) const = default;
};

/// How one file is backed up.
struct FileTreatment {
    enum class Kind {
        kCopy,     ///< read and store all of it
        kCompare,  ///< read all of it, store what is not the same in `base`
        kPatch,    ///< read and store `read`; all else is as in `base`
    };
    Kind kind = Kind::kCopy;
    const ManifestFile* base = nullptr;  ///< borrowed from the IncrementBase; not nullptr but for kCopy
    std::vector<ByteRange> read;         ///< kPatch: in order, page by page, apart from each other

    uint64_t bytes_to_read(uint64_t size) const;
};

/// Decide for each of `files`, in their order. `base` outlives the result.
///
/// `changes` are all blocks changed between the base's start and this backup's start, on one timeline; nullptr when that is not
/// known. With them, relations' main forks are not read where they did not change. Everything else is compared: the server does not
/// log every change of the other forks, and of files that are no relation's none at all.
std::vector<FileTreatment> plan_increment(std::span<const ScannedFile> files, const IncrementBase& base, ChangedBlocks* changes,
                                          uint32_t pages_per_segment);

/// The part of `base` between `begin` and `end` that lies in usable packs, as runs within these bounds, in order.
std::vector<ManifestRun> usable_runs(const ManifestFile& base, const std::vector<bool>& usable, uint64_t begin, uint64_t end);

/// Tell which packs of `manifest` a new backup had better not refer to: those of which less than a quarter is in use. Storing that
/// part anew lets the whole pack go once the backups that refer to it have gone. At most `budget` bytes are stored anew for it, the
/// emptiest packs first.
std::vector<bool> find_sparse_packs(const Manifest& manifest, uint64_t budget);

/// The share of a cluster's bytes that one backup stores anew to do away with sparse packs: a sixteenth.
inline constexpr uint64_t kSparseBudgetDivisor = 16;

}  // namespace steward
