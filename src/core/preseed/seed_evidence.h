// What can be seen of a data directory before its server starts: whether there is a cluster, a half of one, something else, or nothing.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.h"
#include "core/postgres/pg_control.h"
#include "core/restore/target_directory.h"
#include "core/upgrade/seen_upgrade.h"

namespace steward {

enum class SeedContent {
    kMissing,
    kEmpty,        ///< nothing but perhaps "lost+found"
    kInterrupted,  ///< of a restore of ours that did not finish: its marker, and no control file
    kCluster,      ///< a version, a control file that is whole, and WAL's directory
    kDamaged,      ///< parts of a cluster
    kForeign,      ///< anything else
};

/// "missing", "empty", "interrupted restore", "cluster", "damaged cluster", "foreign".
std::string_view to_string(SeedContent content);

struct SeedCluster {
    int major = 0;
    uint64_t system_identifier = 0;
    ClusterState state = ClusterState::kStartingUp;
    std::vector<uint64_t> predecessors = {};  ///< that it goes on for in the repositories, by its mark of succession
};

/// A place that should have a volume and has none.
struct UnmountedPlace {
    std::filesystem::path path;
    std::string reason;  ///< a full sentence
};

struct SeedEvidence {
    std::filesystem::path directory;  ///< absolute, symbolic links resolved
    SeedContent content = SeedContent::kMissing;
    /// Whether it can only be filled, not be replaced by a directory made beside it: it is a mount point.
    bool in_place = false;
    std::vector<UnmountedPlace> unmounted;
    std::vector<std::string> names;      ///< kForeign, kDamaged: up to kShownNames of its entries, in order
    size_t entries = 0;                  ///< how many it has
    std::optional<SeedCluster> cluster;  ///< kCluster
    std::string damage;                  ///< kDamaged: what is wrong, a full sentence
    bool marker = false;                 ///< of a restore of ours; beside a whole cluster, of one that had not begun to write or was done
    bool restore_leftover = false;       ///< restore_workplace is there
    bool initdb_leftover = false;        ///< initdb_workplace is there
    std::optional<FileOwner> owner;      ///< when it exists
    std::optional<SeenUpgrade> upgrade;  ///< a journal of one is beside it; filled in by whoever has looked for it
};

inline constexpr size_t kShownNames = 5;

/// Where a restore for `directory` is made, on the same file system. One name, under the lock of a preseed: what a killed one leaves is found again.
std::filesystem::path restore_workplace(const std::filesystem::path& directory);
/// The same for initdb.
std::filesystem::path initdb_workplace(const std::filesystem::path& directory);

/// Look at `directory` (absolute) and at `mount_points`, of which the operator says that they are some. Changes nothing. Errors: as
/// inspect_directory; permission_denied and io_error when its files cannot be read; wrong_version for a release that is not known.
Result<SeedEvidence> inspect_seed(const std::filesystem::path& directory, std::span<const std::filesystem::path> mount_points);

/// Read back what was made in `directory`: the cluster in it. Errors: wrong_state when there is none.
Result<SeedCluster> read_seeded_cluster(const std::filesystem::path& directory);

/// Remove what a restore that was killed while it wrote its marker left: files of that name's beginning, in a directory that has nothing
/// else. Errors: by errno.
Result<void> remove_half_marker(const std::filesystem::path& directory);

}  // namespace steward
