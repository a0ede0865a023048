#include "core/proof/wal_holes.h"

#include <algorithm>

#include "core/repository/gap_ledger.h"

namespace steward {

namespace {

/// Cut `accounted` out of the last interval of `holes`, which may shrink, split or vanish.
void take_out(const WalInterval& accounted, std::vector<WalInterval>& holes) {
    std::vector<WalInterval> rest;
    for (const WalInterval& hole : holes) {
        if (hole.timeline != accounted.timeline || accounted.end <= hole.begin || accounted.begin >= hole.end) {
            rest.push_back(hole);
            continue;
        }
        if (accounted.begin > hole.begin) rest.push_back({hole.timeline, hole.begin, accounted.begin});
        if (accounted.end < hole.end) rest.push_back({hole.timeline, accounted.end, hole.end});
    }
    holes = std::move(rest);
}

}  // namespace

std::vector<WalInterval> find_wal_holes(std::span<const WalRange> ranges, std::span<const WalInterval> accounted, Lsn needed_from,
                                        uint32_t segment_size) {
    std::vector<WalInterval> holes;
    for (size_t i = 1; i < ranges.size(); ++i) {
        if (ranges[i - 1].timeline != ranges[i].timeline) continue;
        const auto before = parse_wal_segment_name(ranges[i - 1].last, segment_size), after = parse_wal_segment_name(ranges[i].first, segment_size);
        if (!before.ok() || !after.ok()) continue;
        const Lsn begin = std::max(start_lsn(before->segment_number + 1, segment_size), start_lsn(segment_of(needed_from, segment_size), segment_size));
        const Lsn end = start_lsn(after->segment_number, segment_size);
        if (begin < end) holes.push_back({ranges[i].timeline, begin, end});
    }
    for (const WalInterval& interval : accounted) take_out(interval, holes);
    return holes;
}

Result<std::optional<WalInterval>> load_accounted_gap(const Repository& repository, const std::string& key) {
    TRY_ASSIGN(const RecordedGap gap, load_gap(repository, key));
    if (gap.reason == GapReason::kMissing) return std::optional<WalInterval>();
    return std::optional(WalInterval{gap.timeline, gap.begin, gap.end});
}

}  // namespace steward
