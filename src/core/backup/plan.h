// Which piece of which file goes into which pack: facts in, plan out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/backup/increment.h"
#include "core/backup/scan.h"

namespace steward {

/// Part of a file, or all of it, to be read in one go.
struct CopyPiece {
    uint32_t file = 0;  ///< index into the scanned files
    uint64_t offset = 0;
    uint64_t length = 0;  ///< 0 for an empty file, which is looked at nevertheless
    bool whole = false;   ///< the piece is the whole file, as scanned; always so for one that is patched
};

/// The pieces of one pack, in their order within it.
struct PackTask {
    std::vector<CopyPiece> pieces;
    uint64_t length = 0;  ///< bytes of the pieces that are to be read
};

struct CopyPlan {
    std::vector<PackTask> packs;  ///< in the order in which they are to be begun
    uint64_t bytes = 0;  ///< sum of the pieces' lengths
};

/// Largest content of a pack. Two packs a worker are in memory at a time, compressed. Twice as much gains nothing measurable;
/// half as much costs a remote store twice the requests.
inline constexpr uint64_t kPackTarget = uint64_t{64} << 20;
/// Packs become smaller towards the end, down to this, so that the workers finish together.
inline constexpr uint64_t kSmallestPackTarget = uint64_t{4} << 20;

/// Plan the copying of `files` by `workers` (1 or more) workers that take pack after pack.
///
/// Every byte is in exactly one piece. No pack is longer than `pack_target`, at least kPageSize. Files are cut at page boundaries
/// only, those that are patched not at all. Files that consist of pages come first, so that these begin at page boundaries of the packs
/// too. `treatments` has one for each file, or none: all of them are copied. Deterministic. O(files).
CopyPlan plan_copy(std::span<const ScannedFile> files, std::span<const FileTreatment> treatments, int workers, uint64_t pack_target = kPackTarget);

}  // namespace steward
