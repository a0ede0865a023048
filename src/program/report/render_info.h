// The answer of `pg_steward info`, for people and for programs.
#pragma once

#include <cstdint>
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
    std::vector<std::string> kept = {};  ///< labels of pinned backups, in order
    std::vector<ClusterInfo> former = {};  ///< what is left of those that had the name before, the latest first
};

struct RepositoryInfo {
    std::string url;
    std::vector<ClusterInfo> clusters;
};

/// At most 100 columns with ordinary labels.
std::string render_info(std::span<const RepositoryInfo> repositories);
/// A JSON array with one object for each repository.
std::string render_info_json(std::span<const RepositoryInfo> repositories);

}  // namespace steward
