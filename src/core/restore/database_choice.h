// Restoring some of a cluster's databases only: which ones, and what that makes of the backup.
//
// The files of a database that is left out keep their names and sizes and have no content, because recovery replays WAL into them. Most WAL
// brings the page's image along; what does not finds a page of zeros, which the server has to be told to accept (ignore_invalid_pages).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "core/base/result.h"
#include "core/postgres/database_list.h"
#include "core/repository/repository.h"

namespace steward {

/// What the operator asked for, by name. At most one of the two has members; without any everything is restored.
struct DatabaseChoice {
    std::vector<std::string> only;
    std::vector<std::string> except;

    bool is_made() const { return !only.empty() || !except.empty(); }
};

struct LeftOutDatabase {
    ListedDatabase database;
    uint64_t files = 0;
    uint64_t bytes = 0;  ///< that are not restored
};

/// Both lists in order of OID. A database of whose files the backup has none is in neither: WAL makes it, or dropped it.
struct DatabaseSelection {
    std::vector<ListedDatabase> restored;   ///< without names where the backup does not tell them
    std::vector<LeftOutDatabase> left_out;

    bool is_partial() const { return !left_out.empty(); }
};

/// Read which databases `manifest` holds from its files; `first` is as for read_stored_file.
///
/// Errors: corrupt_object when the file of pg_database is not where the backup's relation map has it, as may be after VACUUM FULL during
/// the backup; as parse_relation_map, read_stored_file.
Result<std::vector<ListedDatabase>> read_databases(std::span<const Repository> repositories, size_t first, const Manifest& manifest);

/// Decide which of `databases` are left out. A database is restored when any of its names is asked for, or any is not excluded, or when it has
/// no name; those of initdb always are. Errors: usage when both lists of `choice` have members, or for the exclusion of a database of
/// initdb; not_found for a name that no database has, listing those there are. Pure.
Result<DatabaseSelection> select_databases(const DatabaseChoice& choice, const std::vector<ListedDatabase>& databases, const Manifest& manifest);

/// Take the content of the files of databases that are left out from `manifest`, but for PG_VERSION: they become zeros. Pure.
void leave_out_content(Manifest& manifest, const DatabaseSelection& selection);

/// `"shop"`, or where that is open `"shop" or "shop_old"`: names as SQL wants them quoted.
std::string describe_names(const ListedDatabase& database);

/// The statements that are to be run once a server is up of whose databases some were left out: each without the newline.
std::vector<std::string> statements_after(const DatabaseSelection& selection);

}  // namespace steward
