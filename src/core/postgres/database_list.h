// The databases of a cluster, from the pages of pg_database.
#pragma once

#include <string>
#include <vector>

#include "core/base/bytes.h"
#include "core/postgres/relation_file.h"

namespace steward {

/// Databases with smaller OIDs come from initdb (FirstNormalObjectId of src/include/access/transam.h).
inline constexpr Oid kFirstNormalOid = 16384;

struct ListedDatabase {
    Oid oid = 0;
    /// In the encoding of whichever database it was made from. Several when the pages do not tell which one counts; the likeliest first.
    std::vector<std::string> names;
};

/// List the databases that the whole pages of `relation`, the heap of pg_database, name; in order of OID.
///
/// Which transactions committed is known from the pages alone: hint bits, also those that other tuples have for the same transaction.
/// What stays open counts as there, so that nothing that may exist is missing: one that was renamed or dropped at that moment may be
/// listed with its old name too. What is damaged is passed over. OID and name come first in every row (12 to 19). Pure.
std::vector<ListedDatabase> list_databases(ByteView relation);

}  // namespace steward
