#include "core/upgrade/catalog_checks.h"

#include <array>

namespace steward {

namespace {

constexpr auto kAlways = [](const UpgradeHop&) { return true; };

/// Types that columns must not have, and all that are made of them: domains over them, arrays, ranges, and rows. BASE is the condition on pg_type t.
#define STEWARD_TYPES_MADE_OF(BASE)                                                                                                       \
    "FROM (WITH RECURSIVE made(oid) AS (SELECT t.oid FROM pg_type t WHERE " BASE                                                          \
    " UNION SELECT next.oid FROM made, LATERAL ("                                                                                         \
    "SELECT d.oid FROM pg_type d WHERE d.typtype = 'd' AND d.typbasetype = made.oid"                                                      \
    " UNION ALL SELECT a.oid FROM pg_type a WHERE a.typtype = 'b' AND a.typelem = made.oid"                                               \
    " UNION ALL SELECT r.rngtypid FROM pg_range r WHERE r.rngsubtype = made.oid"                                                          \
    " UNION ALL SELECT c.reltype FROM pg_class c JOIN pg_attribute m ON m.attrelid = c.oid"                                               \
    " WHERE c.relkind = 'c' AND m.atttypid = made.oid AND NOT m.attisdropped) next)"                                                      \
    " SELECT a.attrelid, a.attname, a.atttypid, c.relkind FROM made JOIN pg_attribute a ON a.atttypid = made.oid"                         \
    " JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace"                                                \
    " WHERE NOT a.attisdropped AND c.relkind IN ('r', 'm', 'i')"                                                                          \
    " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast_)?temp_'"                                    \
    " AND c.oid >= 16384 ORDER BY a.attrelid, a.attnum) f"

constexpr std::string_view kColumn = "format('%s, column %I, type %s', f.attrelid::regclass, f.attname, format_type(f.atttypid, NULL))";
constexpr std::string_view kTypeToText =
    "CASE WHEN f.relkind = 'r' THEN format('ALTER TABLE %s ALTER COLUMN %I TYPE text;', f.attrelid::regclass, f.attname)"
    " WHEN f.relkind = 'm' THEN format('DROP MATERIALIZED VIEW %s;', f.attrelid::regclass)"
    " ELSE format('DROP INDEX %s;', f.attrelid::regclass) END";

constexpr std::array kChecks = {
    CatalogCheck{"invalid_databases", FindingWeight::kObstacle, kAlways, false, "a DROP DATABASE was interrupted",
                 "What is left of the database cannot be connected to, so that it cannot be carried over.", "format('database %I', d.datname)",
                 "format('DROP DATABASE %I;', d.datname)", "FROM pg_database d WHERE d.datconnlimit = -2 ORDER BY d.datname"},
    CatalogCheck{"closed_databases", FindingWeight::kObstacle, kAlways, false, "a database allows no connections",
                 "pg_upgrade connects to every database but template0.", "format('database %I', d.datname)",
                 "format('ALTER DATABASE %I ALLOW_CONNECTIONS true;', d.datname)",
                 "FROM pg_database d WHERE NOT d.datallowconn AND d.datname <> 'template0' AND d.datconnlimit <> -2 ORDER BY d.datname"},
    CatalogCheck{"unprintable_names", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from <= 18 && hop.to >= 19; }, false,
                 "a name of a database, role or tablespace has a line break", "From 19 on there are no such names.", "format('%s %I', u.kind, u.name)",
                 "format('ALTER %s %I RENAME TO %I;', upper(u.kind), u.name, regexp_replace(u.name, E'[\\n\\r]+', '_', 'g'))",
                 "FROM (SELECT 'database' AS kind, d.datname::text AS name FROM pg_database d UNION ALL SELECT 'role', r.rolname::text FROM pg_authid r"
                 " UNION ALL SELECT 'tablespace', t.spcname::text FROM pg_tablespace t) u WHERE u.name ~ E'[\\n\\r]' ORDER BY u.kind, u.name"},
    CatalogCheck{"removed_encodings", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from <= 18 && hop.to >= 19; }, false,
                 "a database has an encoding that is no more", "19 has no MULE_INTERNAL: dump the database, drop it, and restore it into one with another encoding.",
                 "format('database %I, encoding %s', d.datname, pg_encoding_to_char(d.encoding))", "NULL",
                 "FROM pg_database d WHERE pg_encoding_to_char(d.encoding) = 'MULE_INTERNAL' ORDER BY d.datname"},
    CatalogCheck{"open_template0", FindingWeight::kObstacle, kAlways, false, "template0 allows connections",
                 "pg_upgrade takes it for unchanged and does not carry it over, so it insists that nobody can have changed it.", "'database template0'",
                 "'ALTER DATABASE template0 ALLOW_CONNECTIONS false;'", "FROM pg_database d WHERE d.datallowconn AND d.datname = 'template0'"},
    CatalogCheck{"prepared_transactions", FindingWeight::kObstacle, kAlways, false, "a transaction is prepared and not finished",
                 "Prepared transactions cannot be carried over. Ask whoever prepared it whether to commit or to roll back.",
                 "format('database %I: transaction %L, prepared %s by %I', p.database, p.gid, p.prepared, p.owner)",
                 "format('ROLLBACK PREPARED %1$L; -- or COMMIT PREPARED %1$L; in database %2$I', p.gid, p.database)",
                 "FROM pg_prepared_xacts p ORDER BY p.prepared"},
    CatalogCheck{"lost_slots", FindingWeight::kWarning, kAlways, false, "a replication slot is not carried over",
                 "Physical slots never are, and logical ones not from majors before 17. Whoever uses it needs a new one, and a new start.",
                 "format('%s slot %I', s.slot_type, s.slot_name)", "format('SELECT pg_drop_replication_slot(%L);', s.slot_name)",
                 "FROM pg_replication_slots s WHERE NOT s.temporary AND (s.slot_type = 'physical' OR current_setting('server_version_num')::int < 170000)"
                 " ORDER BY s.slot_name"},
    CatalogCheck{"unusable_slots", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from >= 17; }, false,
                 "a logical replication slot is of no use any more", "It cannot be carried over.",
                 "format('logical slot %I: %s', s.slot_name, coalesce(s.invalidation_reason, 'lost'))", "format('SELECT pg_drop_replication_slot(%L);', s.slot_name)",
                 "FROM pg_replication_slots s WHERE NOT s.temporary AND s.slot_type = 'logical' AND (s.invalidation_reason IS NOT NULL OR s.wal_status = 'lost')"
                 " ORDER BY s.slot_name"},
    CatalogCheck{"subscriptions", FindingWeight::kWarning, [](const UpgradeHop& hop) { return hop.from < 17; }, false,
                 "a subscription loses its position", "From majors before 17 a subscription is carried over disabled, and does not know what it has received.",
                 "format('database %I: subscription %I', d.datname, s.subname)", "NULL",
                 "FROM pg_subscription s JOIN pg_database d ON d.oid = s.subdbid ORDER BY s.subname"},
    CatalogCheck{"subscriptions_in_between", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from >= 17; }, true,
                 "a subscription is still copying a table", "Only tables that are ready or not begun can be carried over: let the copy end, or take the table out.",
                 "format('subscription %I, table %s, state %s', s.subname, r.srrelid::regclass, r.srsubstate)", "NULL",
                 "FROM pg_subscription_rel r JOIN pg_subscription s ON s.oid = r.srsubid WHERE r.srsubstate NOT IN ('i', 'r')"
                 " AND s.subdbid = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY s.subname, r.srrelid"},
    CatalogCheck{"moved_into_data_directory", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from >= 15; }, false,
                 "a tablespace has no directory of its own", "One made with \"allow_in_place_tablespaces\" is inside the data directory and cannot be carried over.",
                 "format('tablespace %I', t.spcname)", "format('DROP TABLESPACE %I; -- after moving away what is in it', t.spcname)",
                 "FROM pg_tablespace t WHERE t.oid >= 16384 AND pg_tablespace_location(t.oid) !~ '^/' ORDER BY t.spcname"},
    CatalogCheck{"reg_columns", FindingWeight::kObstacle, kAlways, true, "a column stores numbers of objects that will have others",
                 "regclass, regtype and regrole are carried over; the other types whose names begin with \"reg\" are not.", kColumn, kTypeToText,
                 STEWARD_TYPES_MADE_OF("t.typnamespace = 'pg_catalog'::regnamespace AND t.typname IN ('regcollation', 'regconfig', 'regdictionary', "
                                       "'regnamespace', 'regoper', 'regoperator', 'regproc', 'regprocedure')")},
    CatalogCheck{"aclitem_columns", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from <= 15 && hop.to >= 16; }, true,
                 "a column has type aclitem", "Its form on disk changed in 16.", kColumn, kTypeToText,
                 STEWARD_TYPES_MADE_OF("t.oid = 'aclitem'::regtype")},
    CatalogCheck{"system_row_columns", FindingWeight::kObstacle, kAlways, true, "a column stores rows of a system catalog",
                 "Their columns differ from major to major.", kColumn, kTypeToText,
                 STEWARD_TYPES_MADE_OF("t.typtype = 'c' AND (t.oid < 16384 OR t.typnamespace = 'information_schema'::regnamespace)")},
    CatalogCheck{"postfix_operators", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from <= 13 && hop.to >= 14; }, true,
                 "there is an operator that stands behind its operand", "14 has no such operators.", "o.oid::regoperator::text",
                 "format('DROP OPERATOR %s;', o.oid::regoperator)", "FROM pg_operator o WHERE o.oprright = 0 AND o.oid >= 16384 ORDER BY o.oid"},
    CatalogCheck{"polymorphic_functions", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from <= 13 && hop.to >= 14; }, true,
                 "an aggregate or operator is built on an array function whose argument types changed",
                 "14 declares array_append, array_cat and their like with anycompatiblearray. Make it again after the upgrade, with those types.",
                 "u.kind || ' ' || u.name", "format('DROP %s %s;', upper(u.kind), u.name)",
                 "FROM (WITH changed AS (SELECT p.oid FROM pg_proc p WHERE p.oid < 16384 AND p.proname IN ('array_append', 'array_cat', 'array_prepend',"
                 " 'array_remove', 'array_replace', 'array_position', 'array_positions', 'width_bucket') AND p.proargtypes::oid[] && ARRAY['anyarray'::regtype::oid])"
                 " SELECT 'aggregate' AS kind, a.aggfnoid::regprocedure::text AS name FROM pg_aggregate a WHERE a.aggfnoid >= 16384"
                 " AND (a.aggtransfn IN (SELECT oid FROM changed) OR a.aggfinalfn IN (SELECT oid FROM changed))"
                 " UNION ALL SELECT 'operator', o.oid::regoperator::text FROM pg_operator o WHERE o.oid >= 16384 AND o.oprcode IN (SELECT oid FROM changed)"
                 " ORDER BY 1, 2) u"},
    CatalogCheck{"conversions", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from <= 13 && hop.to >= 14; }, true,
                 "there is an encoding conversion of the operator's own", "The functions of conversions have other parameters from 14 on.",
                 "format('conversion %I.%I', n.nspname, c.conname)", "format('DROP CONVERSION %I.%I;', n.nspname, c.conname)",
                 "FROM pg_conversion c JOIN pg_namespace n ON n.oid = c.connamespace WHERE c.oid >= 16384 ORDER BY 1"},
    CatalogCheck{"not_null_in_children", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from < 18 && hop.to >= 18; }, true,
                 "a column may be null although it may not in the parent table", "From 18 on a child cannot be made so, and its definition does not restore.",
                 "format('%s, column %I, parent %s', i.inhrelid::regclass, own.attname, i.inhparent::regclass)",
                 "format('ALTER TABLE %s ALTER COLUMN %I SET NOT NULL;', i.inhrelid::regclass, own.attname)",
                 "FROM pg_inherits i JOIN pg_attribute own ON own.attrelid = i.inhrelid JOIN pg_attribute up ON up.attrelid = i.inhparent"
                 " AND up.attname = own.attname WHERE own.attnum > 0 AND NOT own.attisdropped AND up.attnotnull AND NOT own.attnotnull"
                 " ORDER BY i.inhrelid, own.attnum"},
    CatalogCheck{"gist_inet_indexes", FindingWeight::kObstacle, [](const UpgradeHop& hop) { return hop.from <= 18 && hop.to >= 19; }, true,
                 "an index is made with the old operator classes of btree_gist for network addresses",
                 "They found too little and cannot be carried over. After the upgrade make it again: 19 has inet_ops for that.", "format('index %s', x.indexrelid::regclass)",
                 "coalesce((SELECT format('ALTER TABLE %s DROP CONSTRAINT %I;', c.conrelid::regclass, c.conname) FROM pg_constraint c WHERE c.conindid = x.indexrelid"
                 " AND c.contype = 'x'), format('DROP INDEX %s;', x.indexrelid::regclass))",
                 "FROM pg_index x WHERE EXISTS (SELECT FROM pg_opclass o JOIN pg_am m ON m.oid = o.opcmethod WHERE o.oid = ANY (x.indclass) AND m.amname = 'gist'"
                 " AND o.opcname IN ('gist_inet_ops', 'gist_cidr_ops') AND o.opcdefault) ORDER BY x.indexrelid"},
    CatalogCheck{"extended_statistics", FindingWeight::kNote, kAlways, true, "extended statistics are not carried over", "They are there again after ANALYZE.",
                 "format('statistics %I.%I', n.nspname, s.stxname)", "NULL",
                 "FROM pg_statistic_ext s JOIN pg_namespace n ON n.oid = s.stxnamespace ORDER BY 1"},
};

#undef STEWARD_TYPES_MADE_OF

}  // namespace

std::span<const CatalogCheck> catalog_checks() { return kChecks; }

}  // namespace steward
