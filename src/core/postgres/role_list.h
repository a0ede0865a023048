// The roles of a cluster, from the pages of pg_authid.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/postgres/relation_file.h"

namespace steward {

/// pg_authid's OID in every cluster (src/include/catalog/pg_authid.h).
inline constexpr Oid kRoleCatalog = 1260;

/// A role, as far as logging in is concerned.
struct Role {
    Oid oid = 0;
    std::string name;  ///< bytes in whatever encoding it was made in
    bool superuser = false;
    bool can_login = false;
    int32_t connection_limit = -1;         ///< -1: none
    std::string verifier;                  ///< of the password; empty when there is none. Not for everybody's eyes
    std::optional<int64_t> valid_until;    ///< as stored: microseconds since 2000-01-01, UTC

    bool operator==(const Role&) const = default;
};

/// Whether a password of this role is no longer accepted at `now`.
bool has_expired(const Role& role, TimePoint now);

/// "2026-11-20T11:04:43.123456Z", "infinity" or "-infinity": a role's valid_until.
std::string format_valid_until(int64_t valid_until);

/// Whether a transaction has committed. Nothing when it is not known.
using CommitLookup = std::function<std::optional<bool>(uint32_t xid)>;

/// List the roles in `relation`, whole pages of pg_authid of a cluster that was shut down, in order of OID. The columns are those of 13 to 19.
/// What is damaged is passed over. Pure, but for what `committed` does.
std::vector<Role> list_roles(ByteView relation, const CommitLookup& committed);

/// Read the roles of a cluster that was shut down, without a server. Errors: by errno; corrupt_object.
Result<std::vector<Role>> read_roles(const std::filesystem::path& data_directory);

}  // namespace steward
