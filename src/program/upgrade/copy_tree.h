// A copy of a directory that shares blocks where the file system can, and the proof that it is one.
#pragma once

#include <cstdint>
#include <filesystem>

#include "core/base/cancel.h"
#include "core/base/result.h"

namespace steward {

struct CopiedTree {
    uint64_t files = 0;
    uint64_t bytes = 0;
    uint64_t shared_bytes = 0;  ///< of these, in blocks that are shared with the original
};

/// Whether files in `directory` can share blocks: tried with two that have no name.
bool can_reflink(const std::filesystem::path& directory);

/// Copy directory `from` to `to`, which does not exist, with modes; links stay links. Durable on return. Nobody writes to `from` meanwhile.
/// Errors: by errno, naming the file; cancelled. What was copied until then stays.
Result<CopiedTree> copy_tree(const std::filesystem::path& from, const std::filesystem::path& to, const CancelToken& cancel);

/// Compare two trees: names, kinds, sizes, targets of links, and every byte, read from the disk where the system lets go of what it has cached.
/// Errors: corrupt_object naming the first difference; by errno; cancelled.
Result<void> compare_trees(const std::filesystem::path& original, const std::filesystem::path& copy, const CancelToken& cancel);

}  // namespace steward
