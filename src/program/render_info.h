// The answer of `pg_steward info`, for people and for programs.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/repository/repository.h"
#include "core/restore/repository_facts.h"

namespace steward {

struct ClusterInfo {
    std::string name;
    Identity identity;
    RepositoryContent content;
};

struct RepositoryInfo {
    std::string url;
    std::vector<ClusterInfo> clusters;
};

/// WAL that is missing between two ranges of one timeline.
struct WalGap {
    std::string first;  ///< segment names, both missing
    std::string last;
    uint64_t segments = 0;
};

/// The gap between `before` and `after`, two ranges in the order of list_wal_ranges; nothing when their timelines differ. Pure.
std::optional<WalGap> gap_between(const WalRange& before, const WalRange& after, uint32_t segment_size);

/// At most 100 columns with ordinary labels.
std::string render_info(std::span<const RepositoryInfo> repositories);
/// A JSON array with one object for each repository.
std::string render_info_json(std::span<const RepositoryInfo> repositories);

}  // namespace steward
