// The tails of WAL segments that were not finished: what is stored of them, and how much of it hangs together.
//
// A tail is a set of pieces of one segment. Writers merge pieces (core/archive/wal_tail_store.h), so that pieces may overlap;
// where they do they agree. A tail is worth what is there without a hole from the segment's first byte on.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/base/result.h"
#include "core/postgres/wal_name.h"
#include "core/repository/repository.h"

namespace steward {

/// Bytes `begin` to `end` (exclusive) of a segment.
struct TailPiece {
    uint32_t begin = 0;
    uint32_t end = 0;

    auto operator<=>(const TailPiece&) const = default;
    uint32_t size() const { return end - begin; }
};

/// What a repository holds of one unfinished segment.
struct WalTail {
    WalSegmentName segment;
    std::vector<TailPiece> pieces;  ///< in order
    uint64_t repository_bytes = 0;
};

/// Pick the fewest of `pieces`, which are in order, that lead from byte 0 as far as any do; each begins where the one before ends or
/// inside of it. Pure.
std::vector<TailPiece> chain_of(std::span<const TailPiece> pieces);

/// How far `pieces`, in order, lead from byte 0 without a hole. Pure.
uint32_t chain_end(std::span<const TailPiece> pieces);

/// List the tails of all segments, in the order of the segments' names; what is no piece of a segment of this cluster is left
/// out. Errors: as Storage::list.
Result<std::vector<WalTail>> list_wal_tails(const Repository& repository);

/// List the pieces of the segment `name`, in order. Errors: as Storage::list.
Result<std::vector<TailPiece>> list_tail_pieces(const Repository& repository, const std::string& name);

}  // namespace steward
