// Storing one file of pg_wal: read once, digested and compressed on the way, put into every repository.
#pragma once

#include <filesystem>
#include <semaphore>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/result.h"
#include "core/repository/repository.h"

namespace steward {

/// What became of one file in one repository.
using StoreResult = Result<StoreOutcome>;

struct PushResult {
    uint64_t plain_bytes = 0;
    uint64_t object_bytes = 0;
    bool was_assembled = false;  ///< from its tail, out of a repository: nothing was stored
    std::vector<StoreResult> repositories;  ///< one for each repository, in their order

    /// The first repository's error, if any failed: the file is safe only when it is in all of them.
    const Error* first_error() const;
};

/// Whether the repositories are asked before the work is done. After a restart of the engine most files that are marked
/// ready are stored already, and compressing them again would be for nothing.
enum class PushExpectation { kProbablyNew, kProbablyStored };

/// Bounds how many pushes compress at the same time. A push that waits for a store needs no processor, so it holds no slot
/// then, and another one can compress.
using CompressionSlots = std::counting_semaphore<>;

/// Pushes files, one after the other, for one thread. Borrows the repositories and the slots for its lifetime.
class WalPush {
public:
    WalPush(std::filesystem::path pg_wal, std::span<const Repository> repositories, Compression compression, CompressionSlots& slots)
        : pg_wal_(std::move(pg_wal)), repositories_(repositories), builder_(compression), slots_(slots) {}

    /// Store pg_wal's file `name`, a valid name of a WAL file, in every repository. A segment that was assembled from its tail
    /// (assembled_segment.h) is in the repositories already, and is left alone. Durable on return for each repository whose
    /// result is a success. Errors of the whole: not_found when the file is gone; corrupt_object when a segment has not the
    /// cluster's segment size; as read_at.
    Result<PushResult> push(const std::string& name, PushExpectation expectation);

private:
    Result<BuiltObject> build(const std::filesystem::path& path, ObjectKind kind);
    bool is_missing_somewhere(const std::string& name) const;
    Result<std::vector<StoreResult>> look_up_everywhere(const std::string& name, ObjectKind kind, const Digest& digest) const;

    std::filesystem::path pg_wal_;
    std::span<const Repository> repositories_;
    ObjectBuilder builder_;
    CompressionSlots& slots_;
};

/// The object kind of a WAL file, by its name. `name` is valid.
ObjectKind wal_object_kind(std::string_view name);

}  // namespace steward
