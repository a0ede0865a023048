#include "core/postgres/database_list.h"

#include <algorithm>
#include <map>
#include <set>

#include "core/postgres/heap_page.h"
#include "core/postgres/page.h"

namespace steward {

namespace {

constexpr size_t kNameSize = 64;  // NAMEDATALEN
constexpr size_t kNameOffset = sizeof(Oid);

std::vector<HeapTuple> all_tuples(ByteView relation) {
    std::vector<HeapTuple> tuples;
    for (size_t at = 0; at + kPageSize <= relation.size(); at += kPageSize) {
        const std::vector<HeapTuple> of_page = heap_tuples(relation.subspan(at, kPageSize));
        tuples.insert(tuples.end(), of_page.begin(), of_page.end());
    }
    return tuples;
}

/// Transactions that some tuple knows to have committed. Frozen ones are not among them: their numbers are used again.
std::set<uint32_t> committed_transactions(const std::vector<HeapTuple>& tuples) {
    std::set<uint32_t> committed;
    for (const HeapTuple& tuple : tuples) {
        if (tuple.is_insert_committed()) committed.insert(tuple.xmin);
        if (tuple.is_delete_committed()) committed.insert(tuple.xmax);
    }
    return committed;
}

std::string name_of(const HeapTuple& tuple) {
    const std::string_view field = as_text(tuple.data.subspan(kNameOffset, kNameSize));
    return std::string(field.substr(0, field.find('\0')));
}

}  // namespace

std::vector<ListedDatabase> list_databases(ByteView relation) {
    struct Names {
        std::vector<std::string> sure, open;
    };
    std::map<Oid, Names> databases;
    const std::vector<HeapTuple> tuples = all_tuples(relation);
    const std::set<uint32_t> committed = committed_transactions(tuples);
    for (const HeapTuple& tuple : tuples) {
        if (tuple.is_never_inserted()) continue;
        if (tuple.is_delete_by_xmax() && (tuple.is_delete_committed() || committed.contains(tuple.xmax))) continue;
        if (tuple.attributes < 2 || tuple.data.size() < kNameOffset + kNameSize) continue;
        const Oid oid = load_le<Oid>(tuple.data.data());
        const std::string name = name_of(tuple);
        if (oid == 0 || name.empty()) continue;
        Names& names = databases[oid];
        (tuple.is_delete_possible() ? names.open : names.sure).push_back(name);
    }

    std::vector<ListedDatabase> list;
    for (auto& [oid, names] : databases) {
        ListedDatabase database{oid, {}};
        for (const auto* of_kind : {&names.sure, &names.open})
            for (const std::string& name : *of_kind)
                if (std::ranges::find(database.names, name) == database.names.end()) database.names.push_back(name);
        list.push_back(std::move(database));
    }
    return list;
}

}  // namespace steward
