#include "core/restore/database_choice.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <optional>
#include <set>
#include <string_view>

#include "core/base/format.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/relation_map.h"
#include "core/postgres/sql_quoting.h"
#include "core/restore/stored_file.h"

namespace steward {

namespace {

constexpr std::string_view kRelationMapFile = "global/pg_filenode.map";
constexpr std::string_view kVersionFile = "PG_VERSION";
/// A cluster may have dropped and made them anew.
constexpr std::string_view kSystemDatabases[] = {"postgres", "template0", "template1"};

/// A file below a database's directory.
struct DatabaseFile {
    Oid database = 0;
    std::string_view name;  ///< relative to the directory
};

/// "base/16385/PG_VERSION", "pg_tblspc/16400/PG_15_202209061/16385/2619_vm".
std::optional<DatabaseFile> parse_database_path(std::string_view path) {
    const auto take_directory = [&path]() -> std::optional<std::string_view> {
        const size_t end = path.find('/');
        if (end == std::string_view::npos) return std::nullopt;
        const std::string_view directory = path.substr(0, end);
        path.remove_prefix(end + 1);
        return directory;
    };
    std::optional<std::string_view> directory = take_directory();
    if (directory == "pg_tblspc") {
        take_directory();
        const auto version = take_directory();
        if (!version || !version->starts_with("PG_")) return std::nullopt;
    } else if (directory != "base") {
        return std::nullopt;
    }
    directory = take_directory();
    if (!directory) return std::nullopt;
    DatabaseFile file{0, path};
    const char* const end = directory->data() + directory->size();
    const auto [rest, problem] = std::from_chars(directory->data(), end, file.database);
    return problem == std::errc() && rest == end ? std::optional(file) : std::nullopt;
}

const ManifestFile* find_file(const Manifest& manifest, std::string_view path) {
    const auto found = std::ranges::lower_bound(manifest.files, path, {}, [](const ManifestFile& file) { return std::string_view(file.path); });
    return found != manifest.files.end() && found->path == path ? &*found : nullptr;
}

Error no_list(std::string detail) {
    return Error(ErrorCode::corrupt_object, "could not read the backup's list of databases")
        .detail(std::move(detail))
        .hint("Restore all databases, or choose another backup with --backup.");
}

bool contains(const std::vector<std::string>& names, std::string_view name) { return std::ranges::find(names, name) != names.end(); }

bool is_of_initdb(const ListedDatabase& database) {
    return database.oid < kFirstNormalOid ||
           std::ranges::any_of(kSystemDatabases, [&](std::string_view name) { return contains(database.names, name); });
}

std::string list_names(const std::vector<ListedDatabase>& databases) {
    std::set<std::string> names;
    for (const ListedDatabase& database : databases) names.insert(database.names.begin(), database.names.end());
    std::string list;
    for (const std::string& name : names) list += (list.empty() ? "" : ", ") + quote_sql_identifier(name);
    return list;
}

/// Every name that was given must be that of a database; one that is excluded, not of a database of initdb.
Result<void> check_names(const DatabaseChoice& choice, const std::vector<ListedDatabase>& databases, const Manifest& manifest) {
    for (const auto* names : {&choice.only, &choice.except})
        for (const std::string& name : *names)
            if (std::ranges::none_of(databases, [&](const ListedDatabase& d) { return contains(d.names, name); }))
                return Error(ErrorCode::not_found, formatted("backup \"{}\" has no database \"{}\"", manifest.summary.label, name))
                    .detail(formatted("It has {}.", list_names(databases)))
                    .hint("Names are those at the time of the backup. A database that was made later is restored in any case.")
                    .object(name);
    for (const std::string& name : choice.except)
        for (const ListedDatabase& database : databases)
            if (contains(database.names, name) && is_of_initdb(database))
                return Error(ErrorCode::usage, formatted("database \"{}\" cannot be left out", name))
                    .detail("Recovery, connections by default and CREATE DATABASE need template0, template1 and postgres: they are always restored.")
                    .object(name);
    return {};
}

bool is_wanted(const DatabaseChoice& choice, const ListedDatabase& database) {
    if (!choice.is_made() || database.names.empty() || is_of_initdb(database)) return true;
    if (!choice.only.empty()) return std::ranges::any_of(database.names, [&](const std::string& name) { return contains(choice.only, name); });
    return !std::ranges::all_of(database.names, [&](const std::string& name) { return contains(choice.except, name); });
}

}  // namespace

Result<std::vector<ListedDatabase>> read_databases(std::span<const Repository> repositories, size_t first, const Manifest& manifest) {
    const ManifestFile* const map_file = find_file(manifest, kRelationMapFile);
    if (map_file == nullptr) return no_list(formatted("It has no file \"{}\".", kRelationMapFile));
    TRY_ASSIGN(const Bytes map_content, read_stored_file(repositories, first, manifest, *map_file));
    Result<std::vector<RelationMapping>> map = parse_relation_map(map_content);
    if (!map.ok()) return std::move(map).error().object(std::string(kRelationMapFile)).context(formatted("while reading the backup's \"{}\"", kRelationMapFile));
    const std::optional<uint32_t> number = mapped_relation_number(*map, kDatabaseCatalog);
    if (!number) return no_list(formatted("File \"{}\" does not have pg_database.", kRelationMapFile));

    Bytes pages;
    const std::string path = formatted("global/{}", *number);
    const ManifestFile* file = find_file(manifest, path);
    for (uint32_t segment = 1; file != nullptr; ++segment) {
        TRY_ASSIGN(const Bytes content, read_stored_file(repositories, first, manifest, *file));
        pages.insert(pages.end(), content.begin(), content.end());
        file = find_file(manifest, formatted("{}.{}", path, segment));
    }
    std::vector<ListedDatabase> databases = list_databases(pages);
    if (databases.empty()) return no_list(formatted("File \"{}\", which pg_database had in, has no rows.", path));
    return databases;
}

Result<DatabaseSelection> select_databases(const DatabaseChoice& choice, const std::vector<ListedDatabase>& databases, const Manifest& manifest) {
    if (!choice.only.empty() && !choice.except.empty())
        return Error(ErrorCode::usage, "databases cannot be both chosen and excluded").detail("Those that are not chosen are left out.");
    TRY(check_names(choice, databases, manifest));
    std::map<Oid, LeftOutDatabase> found;
    for (const ManifestFile& file : manifest.files) {
        const auto parsed = parse_database_path(file.path);
        if (!parsed) continue;
        LeftOutDatabase& database = found[parsed->database];
        database.files++;
        if (parsed->name != kVersionFile) database.bytes += file.size;
    }
    DatabaseSelection selection;
    for (auto& [oid, database] : found) {
        const auto listed = std::ranges::find(databases, oid, &ListedDatabase::oid);
        database.database = listed == databases.end() ? ListedDatabase{oid, {}} : *listed;
        if (is_wanted(choice, database.database))
            selection.restored.push_back(std::move(database.database));
        else
            selection.left_out.push_back(std::move(database));
    }
    return selection;
}

void leave_out_content(Manifest& manifest, const DatabaseSelection& selection) {
    std::set<Oid> left_out;
    for (const LeftOutDatabase& database : selection.left_out) left_out.insert(database.database.oid);
    for (ManifestFile& file : manifest.files) {
        const auto parsed = parse_database_path(file.path);
        // No WAL brings the version back, which says whose directory this is.
        if (!parsed || !left_out.contains(parsed->database) || parsed->name == kVersionFile) continue;
        file.runs.clear();
        file.digest.reset();
        file.crc32c = crc32c_of_zeros(file.size);
    }
}

std::string describe_names(const ListedDatabase& database) {
    if (database.names.empty()) return "without a name";
    std::string text;
    for (const std::string& name : database.names) text += (text.empty() ? "" : " or ") + quote_sql_identifier(name);
    return text;
}

std::vector<std::string> statements_after(const DatabaseSelection& selection) {
    std::vector<std::string> statements;
    for (const LeftOutDatabase& left_out : selection.left_out)
        statements.push_back(formatted("DROP DATABASE {};", quote_sql_identifier(left_out.database.names.front())));
    if (selection.is_partial()) statements.push_back("ALTER SYSTEM RESET ignore_invalid_pages;");
    return statements;
}

}  // namespace steward
