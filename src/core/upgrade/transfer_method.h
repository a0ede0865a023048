// The ways in which an upgrade takes the data over, and which of them a cluster can have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/upgrade/catalog_checks.h"

namespace steward {

enum class TransferMethod {
    kCopy,           ///< pg_upgrade --copy
    kClone,          ///< pg_upgrade --clone: reflinks
    kCopyFileRange,  ///< pg_upgrade --copy-file-range
    kLink,           ///< pg_upgrade --link: the old cluster is lost when the new one starts
    kSwap,           ///< pg_upgrade --swap: the old cluster is lost at once
    kDump,           ///< pg_dump and pg_restore
};

/// "copy", "clone", "copy-file-range", "link", "swap", "dump".
std::string_view name_of(TransferMethod method);
std::optional<TransferMethod> parse_transfer_method(std::string_view name);

/// What the file systems of data directory and tablespaces allow.
struct FileSystemSpace {
    std::string place;        ///< a directory on it
    uint64_t data_bytes = 0;  ///< of the relations that a second cluster will have there
    uint64_t free_bytes = 0;
};

struct TransferFacts {
    std::vector<FileSystemSpace> file_systems;  ///< first that where the new data directory will be, then those of tablespaces elsewhere
    bool one_file_system = true;                ///< the new data directory will be on the file system of the old one
    bool reflinks = false;                      ///< all these file systems share blocks between files
    bool wal_elsewhere = false;                 ///< pg_wal is a symbolic link
};

struct MethodVerdict {
    TransferMethod method;
    bool possible = false;
    std::string reason;  ///< one clause: why not, or what it means
};

/// Judge every method for `hop`, as "upgrade run" takes them. Pure.
std::vector<MethodVerdict> judge_methods(const UpgradeHop& hop, const TransferFacts& facts);

/// The one to take when nobody says: the quickest that leaves the old cluster usable. Nothing when none does. Pure.
std::optional<MethodVerdict> choose_method(const std::vector<MethodVerdict>& verdicts);

/// Bytes that must be free where the new data directory will be, beside the data: for catalogs, WAL and dumps of the schemas.
inline constexpr uint64_t kUpgradeReserve = uint64_t{512} << 20;

}  // namespace steward
