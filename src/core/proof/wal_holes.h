// WAL that is missing in the middle: between two stored segments of one timeline.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/postgres/wal_name.h"
#include "core/repository/catalog.h"
#include "core/repository/repository.h"

namespace steward {

/// Positions of one timeline, `end` exclusive.
struct WalInterval {
    TimelineId timeline = 0;
    Lsn begin;
    Lsn end;

    bool operator==(const WalInterval&) const = default;
};

/// List what is missing between the stored `ranges` (in order, as list_wal_ranges returns them) from `needed_from` on, without what
/// `accounted` explains. Each part that remains is one interval, in order. Pure; O(ranges * accounted).
std::vector<WalInterval> find_wal_holes(std::span<const WalRange> ranges, std::span<const WalInterval> accounted, Lsn needed_from,
                                        uint32_t segment_size);

/// Read an entry of the gap ledger: its interval when the WAL was given up or pruned, which is as somebody wanted it; nothing when it
/// is lost. Errors: corrupt_object, as Repository::load.
Result<std::optional<WalInterval>> load_accounted_gap(const Repository& repository, const std::string& key);

}  // namespace steward
