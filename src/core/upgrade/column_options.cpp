#include "core/upgrade/column_options.h"

#include "core/base/format.h"
#include "core/postgres/sql_quoting.h"

namespace steward {

std::string_view column_option_query() {
    return "FROM (SELECT split_part(o.item, '=', 1) AS name, min(substr(o.item, strpos(o.item, '=') + 1)) AS value, count(*) AS columns,"
           " min(format('%s, column %I', a.attrelid::regclass, a.attname)) AS example FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid,"
           " unnest(a.attoptions) o(item) WHERE c.oid >= 16384 AND c.relkind NOT IN ('i', 'I', 't') AND NOT a.attisdropped GROUP BY 1) f ORDER BY f.name";
}

// ALTER TABLE does not take back what the server itself has stored (15.20: "pg_attver"), and from views and types nothing at all.
std::string reset_column_option(std::string_view name) {
    const std::string begins = formatted("starts_with(o.item, {})", quote_sql_literal(std::string(name) + "="));
    return formatted("UPDATE pg_attribute a SET attoptions = (SELECT array_agg(o.item) FROM unnest(a.attoptions) o(item) WHERE NOT {0})"
                     " WHERE a.attrelid >= 16384 AND EXISTS (SELECT FROM unnest(a.attoptions) o(item) WHERE {0});", begins);
}

}  // namespace steward
