#include "core/upgrade/fingerprint.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"

namespace steward {

namespace {

/// Not the server's own, not temporary, and no member of an extension. The relation is pg_class c, its schema pg_namespace n.
#define STEWARD_OWN_RELATIONS                                                                                                   \
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid >= 16384 AND c.relpersistence <> 't'"             \
    " AND n.nspname <> 'pg_toast' AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass"               \
    " AND d.objid = c.oid AND d.deptype = 'e')"

constexpr std::array kQueries = {
    FingerprintQuery{false,
                     "format('role %I: superuser %s, inherit %s, createrole %s, createdb %s, login %s, replication %s, bypassrls %s, limit %s, until %s, password %s',"
                     " r.rolname, r.rolsuper, r.rolinherit, r.rolcreaterole, r.rolcreatedb, r.rolcanlogin, r.rolreplication, r.rolbypassrls, r.rolconnlimit,"
                     " to_char(r.rolvaliduntil AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US'), md5(r.rolpassword))",
                     "FROM pg_authid r WHERE r.rolname !~ '^pg_'"},
    FingerprintQuery{false, "format('role %I is in %I, with admin option %s', b.rolname, a.rolname, bool_or(m.admin_option))",
                     "FROM pg_auth_members m JOIN pg_authid a ON a.oid = m.roleid JOIN pg_authid b ON b.oid = m.member WHERE b.rolname !~ '^pg_'"
                     " GROUP BY a.rolname, b.rolname"},
    FingerprintQuery{false,
                     "format('database %I: owner %I, encoding %s, collation %s, ctype %s, template %s, open %s, limit %s', d.datname, pg_get_userbyid(d.datdba),"
                     " pg_encoding_to_char(d.encoding), d.datcollate, d.datctype, d.datistemplate, d.datallowconn, d.datconnlimit)",
                     "FROM pg_database d"},
    FingerprintQuery{false, "format('tablespace %I: owner %I, location %s', t.spcname, pg_get_userbyid(t.spcowner), pg_tablespace_location(t.oid))",
                     "FROM pg_tablespace t WHERE t.oid >= 16384"},
    FingerprintQuery{true, "format('extension %I', e.extname)", "FROM pg_extension e"},
    FingerprintQuery{true, "format('relation %I.%I: kind %s, owner %I', n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner))",
                     STEWARD_OWN_RELATIONS " AND c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')"},
    FingerprintQuery{true, "format('relation %I.%I: %s indexes', n.nspname, c.relname, (SELECT count(*) FROM pg_index i WHERE i.indrelid = c.oid))",
                     STEWARD_OWN_RELATIONS " AND c.relkind IN ('r', 'p', 'm')"},
    FingerprintQuery{true, "format('schema %I: %s functions', n.nspname, count(*))",
                     "FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace WHERE p.oid >= 16384 AND NOT EXISTS (SELECT FROM pg_depend d"
                     " WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype IN ('e', 'i')) GROUP BY n.nspname"},
    FingerprintQuery{true, "format('publication %I', p.pubname)", "FROM pg_publication p"},
    FingerprintQuery{true, "format('event trigger %I: %s', t.evtname, t.evtenabled)",
                     "FROM pg_event_trigger t WHERE NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_event_trigger'::regclass AND d.objid = t.oid"
                     " AND d.deptype = 'e')"},
    FingerprintQuery{true, "format('large objects: %s', count(*))", "FROM pg_largeobject_metadata l"},
    FingerprintQuery{true, "format('large objects: %s bytes', coalesce(sum(octet_length(l.data)), 0))", "FROM pg_largeobject l"},
};

constexpr std::string_view kCounted = STEWARD_OWN_RELATIONS " AND (c.relkind IN ('r', 'S') OR (c.relkind = 'm' AND c.relispopulated)) ORDER BY c.oid";

#undef STEWARD_OWN_RELATIONS

std::string name_in_sql(const CountedRelation& relation) { return formatted("{}.{}", quote_sql_identifier(relation.schema), quote_sql_identifier(relation.name)); }

}  // namespace

std::span<const FingerprintQuery> fingerprint_queries() { return kQueries; }

std::string_view counted_relations() { return kCounted; }

std::string count_query(std::span<const CountedRelation> relations) {
    std::string query = "FROM (VALUES ";
    for (size_t i = 0; i < relations.size(); ++i)
        query += formatted("{}({}, (SELECT {} FROM {}{}))", i == 0 ? "" : ", ", i,
                           relations[i].sequence ? "concat_ws(' ', last_value, is_called)" : "count(*)::text", relations[i].sequence ? "" : "ONLY ",
                           name_in_sql(relations[i]));
    return query + ") v(i, line)";
}

std::string counted_line(const CountedRelation& relation, std::string_view counted) {
    return formatted("{} {}: {}{}", relation.sequence ? "sequence" : "table", name_in_sql(relation), counted, relation.sequence ? "" : " rows");
}

std::string escape_line(std::string_view line) {
    std::string escaped;
    for (const char c : line) {
        if (c == '\\')
            escaped += "\\\\";
        else if (c == '\n')
            escaped += "\\n";
        else
            escaped += c;
    }
    return escaped;
}

std::vector<std::string> compare_fingerprints(const Fingerprint& before, const Fingerprint& after) {
    Fingerprint lost, gained;
    std::ranges::set_difference(before, after, std::back_inserter(lost));
    std::ranges::set_difference(after, before, std::back_inserter(gained));
    std::vector<std::string> differences;
    for (const std::string& line : lost) differences.push_back("before: " + line);
    for (const std::string& line : gained) differences.push_back("after:  " + line);
    std::ranges::stable_sort(differences, {}, [](const std::string& line) { return std::string_view(line).substr(8); });
    return differences;
}

}  // namespace steward
