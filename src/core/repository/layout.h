// Where everything is: the only place that builds object names (docs/repository-format.md).
//
//   identity/CLUSTER/NNNN                                    who owns the name CLUSTER; the highest number is in force
//   cluster/CLUSTER/SYSTEM/wal/TTTTTTTT.history              timeline history files
//   cluster/CLUSTER/SYSTEM/wal/TTTTTTTT/LLLLLLLL/NAME        WAL segments, .partial and .backup files; L is the log id of NAME
//   cluster/CLUSTER/SYSTEM/wal-tail/TTTTTTTT/NAME/BEGIN-END  pieces of a segment that was not finished
//   cluster/CLUSTER/SYSTEM/backups/LABEL/manifest            the commit of a backup
//   cluster/CLUSTER/SYSTEM/packs/SET/NNNNNN                  content of backups; a set is what one run wrote
//
// SYSTEM is the system identifier as 16 lowercase hexadecimal digits.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"
#include "core/postgres/lsn.h"
#include "core/repository/object.h"

namespace steward {

/// What the key of a piece of a WAL tail says.
struct WalTailKey {
    std::string segment;  ///< name; not checked
    uint32_t begin = 0;   ///< in the segment
    uint32_t end = 0;     ///< exclusive; after `begin`
};

class Layout {
public:
    Layout(std::string cluster, uint64_t system_identifier);

    /// Prefix of all identities: listing it names every cluster of the store.
    static std::string identities_prefix();
    /// The cluster whose identity `key` is, or nothing.
    static std::optional<std::string> cluster_of_identity(std::string_view key);
    static std::string identity_prefix(std::string_view cluster);
    static std::string identity(std::string_view cluster, unsigned number);
    /// The number of the identity whose key `key` is, or nothing.
    static std::optional<unsigned> number_of_identity(std::string_view cluster, std::string_view key);

    /// Everything of this cluster but its identity.
    const std::string& prefix() const { return base_; }
    /// What the object at `key` is by its name, or nothing where this release puts no object.
    std::optional<ObjectKind> kind_of(std::string_view key) const;

    std::string wal_prefix() const;
    /// `name` is a valid name of a WAL file (classify_wal_file knows it).
    std::string wal(std::string_view name) const;
    /// Objects of one timeline's segments.
    std::string wal_timeline_prefix(uint32_t timeline) const;
    std::string backups_prefix() const;
    std::string manifest(std::string_view label) const;
    /// The label whose manifest `key` is, or nothing.
    std::optional<std::string> label_of_manifest(std::string_view key) const;
    std::string packs_prefix() const;
    std::string pack(std::string_view set, unsigned number) const;

    std::string wal_tails_prefix() const;
    /// Pieces of the segment `name`.
    std::string wal_tail_prefix(std::string_view name) const;
    /// Bytes `begin` to `end` (exclusive) of the segment `name`.
    std::string wal_tail(std::string_view name, uint32_t begin, uint32_t end) const;
    /// The piece whose key `key` is, or nothing.
    std::optional<WalTailKey> parse_wal_tail(std::string_view key) const;

    std::string restore_points_prefix() const;
    std::string restore_point(uint32_t timeline, Lsn lsn) const;
    std::string gaps_prefix() const;
    /// WAL from `begin` to `end` (exclusive) of one timeline.
    std::string gap(uint32_t timeline, Lsn begin, Lsn end) const;

    std::string pins_prefix() const;
    std::string pin(std::string_view label) const;
    std::string leases_prefix() const;
    std::string lease(std::string_view name) const;
    std::string verifications_prefix() const;
    std::string verification(std::string_view name) const;
    std::string drills_prefix() const;
    std::string drill(std::string_view name) const;

private:
    std::string base_;  ///< "cluster/CLUSTER/SYSTEM/"
};

/// Check a backup's label: 1 to 64 letters, digits, "-", "_" or ".", not beginning with "." or "-". Errors: invalid_argument.
Result<void> check_label(std::string_view label);

}  // namespace steward
