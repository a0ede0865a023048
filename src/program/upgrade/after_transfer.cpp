#include "program/upgrade/after_transfer.h"

#include <algorithm>
#include <array>

#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"

namespace steward {

namespace {

constexpr int kFirstWithDatabaseCollationVersions = 15;
constexpr int kFirstThatCarriesStatistics = 18;

/// Extensions that are not of the version that the new major installs, and to which there is a way.
constexpr std::array<std::string_view, 3> kOutdatedColumns = {"e.extname", "e.extversion", "a.default_version"};
constexpr std::string_view kOutdated =
    "FROM pg_extension e JOIN pg_available_extensions a ON a.name = e.extname WHERE a.default_version <> e.extversion"
    " AND EXISTS (SELECT FROM pg_extension_update_paths(e.extname) p WHERE p.source = e.extversion AND p.target = a.default_version AND p.path IS NOT NULL)"
    " ORDER BY e.extname";

/// Collations that are of another version than when they were used first.
constexpr std::string_view kChangedCollations =
    "SELECT k.oid FROM pg_collation k WHERE k.collversion IS NOT NULL AND k.collversion IS DISTINCT FROM pg_collation_actual_version(k.oid)";
constexpr std::string_view kDefaultChanged =
    "SELECT 100::oid FROM pg_database d WHERE d.datname = current_database() AND d.datcollversion IS NOT NULL"
    " AND d.datcollversion IS DISTINCT FROM pg_database_collation_actual_version(d.oid)";

/// What is sorted by `collations`, a subquery. 100 is the database's own.
std::string touched_indexes(std::string_view collations) {
    return formatted("FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace"
                     " WHERE c.relkind = 'i' AND EXISTS (SELECT FROM ({}) k(oid) WHERE k.oid = ANY (i.indcollation)) ORDER BY i.indexrelid",
                     collations);
}

class CollationRenewal {
public:
    CollationRenewal(const UpgradeContext& context, int major, PrivateServer& server)
        : context_(context), major_(major), server_(server), catalogs_(server.catalogs()) {}

    Result<void> renew(const std::string& database) {
        std::string changed(kChangedCollations);
        if (major_ >= kFirstWithDatabaseCollationVersions) changed += formatted(" UNION ALL {}", kDefaultChanged);
        TRY(for_each(database, "format('REINDEX INDEX %I.%I', n.nspname, c.relname)", touched_indexes(changed)));
        TRY(for_each(database, "format('ALTER COLLATION %I.%I REFRESH VERSION', n.nspname, k.collname)",
                     formatted("FROM pg_collation k JOIN pg_namespace n ON n.oid = k.collnamespace WHERE k.oid IN ({}) ORDER BY k.oid", kChangedCollations)));
        if (major_ < kFirstWithDatabaseCollationVersions) return {};
        return for_each(database, "format('ALTER DATABASE %I REFRESH COLLATION VERSION', d.datname)",
                        formatted("FROM pg_database d WHERE d.datname = current_database() AND EXISTS ({})", kDefaultChanged));
    }

private:
    Result<void> for_each(const std::string& database, std::string_view statement, const std::string& rest) {
        const std::array<std::string_view, 1> column = {statement};
        TRY_ASSIGN(const std::vector<SingleUserRow> rows, catalogs_->select(database, column, rest, context_.cancel));
        for (const SingleUserRow& row : rows) {
            TRY(server_.execute(database, row[0].value_or(""), context_.cancel));
            context_.say(formatted("  database {}: {}", quote_sql_identifier(database), row[0].value_or("")));
        }
        return {};
    }

    const UpgradeContext& context_;
    const int major_;
    PrivateServer& server_;
    const std::unique_ptr<ClusterCatalogs> catalogs_;
};

/// initdb makes a database "postgres" that the old cluster need not have.
Result<void> drop_surplus_database(const UpgradeContext& context, const UpgradeFacts& facts, PrivateServer& server) {
    constexpr std::string_view kUsual = "postgres";
    if (facts.databases.empty() || std::ranges::find(facts.databases, kUsual) != facts.databases.end()) return {};
    return server.execute(facts.databases.front(), formatted("DROP DATABASE IF EXISTS {}", kUsual), context.cancel);
}

}  // namespace

Result<void> update_extensions(const UpgradeContext& context, const UpgradeFacts& facts, PrivateServer& server) {
    TRY(drop_surplus_database(context, facts, server));
    const std::unique_ptr<ClusterCatalogs> catalogs = server.catalogs();
    for (const std::string& database : facts.databases) {
        TRY_ASSIGN(const std::vector<SingleUserRow> rows, catalogs->select(database, kOutdatedColumns, kOutdated, context.cancel));
        for (const SingleUserRow& row : rows) {
            const std::string name = row[0].value_or("");
            const Result<void> updated = server.execute(database, formatted("ALTER EXTENSION {} UPDATE", quote_sql_identifier(name)), context.cancel);
            TRY(check_cancel(context.cancel));
            const std::string place = formatted("database {}: extension {}", quote_sql_identifier(database), name);
            // It works as it did; pg_upgrade updates none. Whoever knows the extension can do it later.
            context.say(updated.ok() ? formatted("  {} is {} now, was {}", place, row[2].value_or(""), row[1].value_or(""))
                                     : formatted("  {} stays at {}: {}", place, row[1].value_or(""), updated.error().detail()));
        }
    }
    return {};
}

Result<void> renew_collations(const UpgradeContext& context, const UpgradeFacts& facts, int major, PrivateServer& server) {
    CollationRenewal renewal(context, major, server);
    for (const std::string& database : facts.databases) TRY(renewal.renew(database));
    return {};
}

Result<void> make_statistics(const UpgradeContext& context, int major, PrivateServer& server) {
    std::vector<std::string> arguments = {"--all", "--analyze-only", "--quiet", "--jobs", std::to_string(context.request.jobs), "--maintenance-db", "dbname=template1"};
    // Only a change to 18 or later by pg_upgrade brings them along. It does not bring those of extended statistics.
    const bool carried = major >= kFirstThatCarriesStatistics && context.request.method != TransferMethod::kDump;
    if (carried) arguments.emplace_back("--missing-stats-only");
    return server.run_client("vacuumdb", arguments, context.cancel);
}

}  // namespace steward
