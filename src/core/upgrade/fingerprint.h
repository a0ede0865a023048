// What a cluster holds, in lines that can be compared: the same before an upgrade and after it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace steward {

/// Sorted lines; their bytes are those of the catalogs, newlines and backslashes escaped.
using Fingerprint = std::vector<std::string>;

/// "SELECT line rest" gives lines of a fingerprint.
struct FingerprintQuery {
    bool in_each_database;  ///< else the catalogs it reads are those that all databases share
    std::string_view line;
    std::string_view rest;
};

/// The queries that say the same on every major: roles, databases, tablespaces; relations, functions, extensions, large objects. They run with
/// search_path = pg_catalog. What belongs to an extension is left out, which its update may change.
std::span<const FingerprintQuery> fingerprint_queries();

/// Something in a database that is read for the fingerprint by a query of its own.
struct CountedRelation {
    std::string schema, name;
    bool sequence = false;
};

/// Columns (schema, name, "S" for a sequence) and rest of the query for a database's tables and sequences. Materialized views that were not
/// filled are left out.
inline constexpr std::string_view kCountedColumns[] = {"n.nspname", "c.relname", "c.relkind"};
std::string_view counted_relations();

/// Columns (number in `relations` counted from 0, line) and rest of the query that reads several relations at once. Pure.
inline constexpr std::string_view kCountColumns[] = {"v.i", "v.line"};
std::string count_query(std::span<const CountedRelation> relations);

/// A line of a relation. `counted` is the second column of count_query. Pure.
std::string counted_line(const CountedRelation& relation, std::string_view counted);

/// Escape newlines and backslashes. Pure.
std::string escape_line(std::string_view line);

/// What is in one and not in the other: "before: ..." and "after: ...", in the order of the lines. Both are sorted. Pure.
std::vector<std::string> compare_fingerprints(const Fingerprint& before, const Fingerprint& after);

}  // namespace steward
