#include "program/upgrade/read_facts.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/pg_control.h"
#include "core/postgres/sql_quoting.h"
#include "core/upgrade/column_options.h"
#include "program/upgrade/copy_tree.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

using Row = SingleUserRow;

template <typename Number>
Number number_in(const std::optional<std::string>& text) {
    Number number{};
    if (text) std::from_chars(text->data(), text->data() + text->size(), number);
    return number;
}

std::vector<std::string> names_in(const fs::path& directory) {
    std::vector<std::string> names;
    std::error_code problem;
    for (fs::directory_iterator entry(directory, problem), end; !problem && entry != end; entry.increment(problem)) names.push_back(entry->path().filename());
    return names;
}

/// Also where it is the same file system that is mounted a second time.
bool is_mount_point(const fs::path& directory, bool one_file_system) {
    struct statx found;
    if (::statx(AT_FDCWD, directory.c_str(), 0, STATX_BASIC_STATS, &found) != 0 || (found.stx_attributes_mask & STATX_ATTR_MOUNT_ROOT) == 0) return !one_file_system;
    return (found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

struct FileSystem {
    dev_t device;
    uint64_t free_bytes;
};

Result<FileSystem> file_system_of(const fs::path& directory) {
    struct stat st;
    struct statvfs space;
    if (::stat(directory.c_str(), &st) != 0 || ::statvfs(directory.c_str(), &space) != 0)
        return Error::from_errno(errno, formatted("could not look at the file system of \"{}\"", directory.native())).object(directory.native());
    return FileSystem{st.st_dev, static_cast<uint64_t>(space.f_bavail) * space.f_frsize};
}

/// Where data of the old cluster is, and how much.
struct DataPlace {
    fs::path directory;
    uint64_t bytes;
};

/// `places`: the data directory, then the tablespaces. A second cluster has what is in the first one beside the data directory.
Result<void> read_file_systems(const std::vector<DataPlace>& places, OldClusterFacts& facts) {
    TransferFacts& transfer = facts.transfer;
    std::vector<dev_t> devices;
    transfer.reflinks = true;
    for (const DataPlace& place : places) {
        const fs::path directory = devices.empty() ? facts.data_directory.parent_path() : place.directory;
        TRY_ASSIGN(const FileSystem found, file_system_of(directory));
        if (devices.empty()) {
            TRY_ASSIGN(const FileSystem own, file_system_of(place.directory));
            transfer.one_file_system = own.device == found.device;
            facts.mount_point = is_mount_point(place.directory, transfer.one_file_system);
            facts.parent_writable = ::faccessat(AT_FDCWD, directory.c_str(), W_OK | X_OK, AT_EACCESS) == 0;
        }
        const auto known = std::ranges::find(devices, found.device);
        if (known != devices.end()) {
            transfer.file_systems[static_cast<size_t>(known - devices.begin())].data_bytes += place.bytes;
            continue;
        }
        devices.push_back(found.device);
        transfer.file_systems.push_back({directory.native(), place.bytes, found.free_bytes});
        transfer.reflinks = transfer.reflinks && can_reflink(directory);
    }
    return {};
}

class OldClusterReader {
public:
    OldClusterReader(ClusterCatalogs& catalogs, const std::string& database, const CancelToken& cancel) : catalogs_(catalogs), database_(database), cancel_(cancel) {}

    Result<void> read_traits(ClusterTraits& traits, int& version_num) const {
        // Columns came with 15 (datlocprovider, daticulocale), 16 (daticurules) and 17 (datlocale).
        const std::string_view provider = traits.major >= 15 ? "d.datlocprovider" : "'c'";
        const std::string_view locale = traits.major >= 17 ? "d.datlocale" : traits.major >= 15 ? "d.daticulocale" : "NULL";
        const std::string_view rules = traits.major >= 16 ? "d.daticurules" : "NULL";
        const std::array<std::string_view, 8> columns = {
            "(SELECT rolname FROM pg_authid WHERE oid = 10)", "pg_encoding_to_char(d.encoding)", provider, "d.datcollate", "d.datctype", locale, rules,
            "current_setting('server_version_num')",
        };
        TRY_ASSIGN(const std::vector<Row> rows, catalogs_.select(database_, columns, "FROM pg_database d WHERE d.datname = 'template0'", cancel_));
        if (rows.empty())
            return Error(ErrorCode::wrong_state, "the cluster has no database template0")
                .hint("Make it: CREATE DATABASE template0 TEMPLATE template1 IS_TEMPLATE true ALLOW_CONNECTIONS false;");
        const Row& row = rows.front();
        traits.superuser = row[0].value_or("");
        traits.encoding = row[1].value_or("");
        traits.locale_provider = row[2].value_or("c").front();
        traits.collate = row[3].value_or("");
        traits.ctype = row[4].value_or("");
        traits.locale = row[5].value_or("");
        traits.icu_rules = row[6].value_or("");
        version_num = number_in<int>(row[7]);
        return {};
    }

    Result<void> read_databases(OldClusterFacts& facts) const {
        const std::array<std::string_view, 1> columns = {"d.datname"};
        // Single-user mode gets into those that allow no connections as well.
        TRY_ASSIGN(const std::vector<Row> rows,
                   catalogs_.select(database_, columns,
                                    formatted("FROM pg_database d WHERE d.datname <> 'template0' AND d.datconnlimit <> -2{} ORDER BY d.oid", facts.running ? " AND d.datallowconn" : ""),
                                    cancel_));
        for (const Row& row : rows) facts.databases.push_back(row[0].value_or(""));
        return {};
    }

    /// Where the data is, too.
    Result<void> read_tablespaces(OldClusterFacts& facts) const {
        const std::array<std::string_view, 3> columns = {"t.spcname", "pg_tablespace_location(t.oid)", "pg_tablespace_size(t.oid)"};
        TRY_ASSIGN(const std::vector<Row> rows, catalogs_.select(database_, columns, "FROM pg_tablespace t ORDER BY t.oid", cancel_));
        std::vector<DataPlace> places = {{facts.data_directory, 0}};
        for (const Row& row : rows) {
            const fs::path location = row[1].value_or("");
            const auto bytes = number_in<uint64_t>(row[2]);
            if (location.is_absolute()) {
                facts.tablespaces.push_back({row[0].value_or(""), location, names_in(location)});
                places.push_back({location, bytes});
            } else {
                // The server's own two, and those without a directory of their own, which are another check's.
                places.front().bytes += bytes;
            }
        }
        return read_file_systems(places, facts);
    }

    Result<void> read_replication(OldClusterFacts& facts) const {
        const std::array<std::string_view, 2> counts = {"(SELECT count(*) FROM pg_replication_slots s WHERE s.slot_type = 'logical' AND NOT s.temporary)",
                                                        "(SELECT count(*) FROM pg_subscription)"};
        TRY_ASSIGN(const std::vector<Row> rows, catalogs_.select(database_, counts, "", cancel_));
        if (rows.empty()) return {};
        facts.logical_slots = number_in<int>(rows.front()[0]);
        facts.subscriptions = number_in<int>(rows.front()[1]);
        return {};
    }

    Result<void> read_settings(OldClusterFacts& facts) const {
        const std::array<std::string_view, 4> lines = {"lower(f.name)", "f.setting", "f.sourcefile", "f.sourceline"};
        TRY_ASSIGN(const std::vector<Row> rows, catalogs_.select(database_, lines, "FROM pg_file_settings f WHERE f.name IS NOT NULL ORDER BY f.seqno", cancel_));
        for (const Row& row : rows)
            facts.settings.push_back({row[0].value_or(""), row[1].value_or(""), formatted("{}, line {}", row[2].value_or("?"), row[3].value_or("?")), ""});
        const std::array<std::string_view, 4> own = {
            "lower(split_part(c.item, '=', 1))",
            "substr(c.item, strpos(c.item, '=') + 1)",
            "concat_ws(' in ', CASE WHEN s.setrole <> 0 THEN 'role ' || quote_ident(pg_get_userbyid(s.setrole)) END,"
            " 'database ' || (SELECT quote_ident(d.datname) FROM pg_database d WHERE d.oid = s.setdatabase))",
            "concat_ws(' ', CASE WHEN s.setrole <> 0 THEN 'ALTER ROLE ' || quote_ident(pg_get_userbyid(s.setrole)) WHEN s.setdatabase = 0 THEN 'ALTER ROLE ALL' END,"
            " CASE WHEN s.setrole <> 0 THEN 'IN DATABASE ' ELSE 'ALTER DATABASE ' END || (SELECT quote_ident(d.datname) FROM pg_database d WHERE d.oid = s.setdatabase),"
            " 'RESET', quote_ident(split_part(c.item, '=', 1)) || ';')",
        };
        TRY_ASSIGN(const std::vector<Row> own_rows, catalogs_.select(database_, own, "FROM pg_db_role_setting s, unnest(s.setconfig) c(item) ORDER BY 1, 3", cancel_));
        for (const Row& row : own_rows) facts.settings.push_back({row[0].value_or(""), row[1].value_or(""), row[2].value_or(""), row[3].value_or("")});
        return {};
    }

    Result<void> read_code(OldClusterFacts& facts) const {
        const std::array<std::string_view, 2> extension = {"e.extname", "e.extversion"};
        const std::array<std::string_view, 1> library = {"p.probin"};
        for (const std::string& database : facts.databases) {
            TRY_ASSIGN(const std::vector<Row> extensions, catalogs_.select(database, extension, "FROM pg_extension e ORDER BY e.extname", cancel_));
            for (const Row& row : extensions) facts.extensions.push_back({database, row[0].value_or(""), row[1].value_or("")});
            // Those of initdb are the server's own.
            TRY_ASSIGN(const std::vector<Row> libraries,
                       catalogs_.select(database, library, "FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE l.lanname = 'c' AND p.oid >= 16384 GROUP BY p.probin ORDER BY p.probin", cancel_));
            for (const Row& row : libraries) facts.libraries.push_back({database, row[0].value_or("")});
            TRY_ASSIGN(const std::vector<Row> options, catalogs_.select(database, kColumnOptionColumns, column_option_query(), cancel_));
            for (const Row& row : options)
                facts.column_options.push_back({database, row[0].value_or(""), row[1].value_or(""), number_in<uint64_t>(row[2]), row[3].value_or("")});
        }
        return {};
    }

private:
    ClusterCatalogs& catalogs_;
    const std::string& database_;
    const CancelToken& cancel_;
};

UpgradeFinding begin_finding(const CatalogCheck& check) {
    return {.check = std::string(check.name), .weight = check.weight, .summary = std::string(check.summary), .detail = std::string(check.detail), .objects = {}, .cures = {}};
}

/// Add what `check` finds in one database.
Result<void> run_check(const CatalogCheck& check, UpgradeFinding& finding, ClusterCatalogs& catalogs, const std::string& database, const CancelToken& cancel) {
    const std::array<std::string_view, 2> columns = {check.object, check.cure};
    Result<std::vector<Row>> rows = catalogs.select(database, columns, check.rest, cancel);
    if (!rows.ok()) return std::move(rows).error().context(formatted("while checking for \"{}\"", check.name));
    const std::string name = quote_sql_identifier(database);
    for (const Row& row : *rows) {
        finding.objects.push_back(check.in_each_database ? formatted("database {}: {}", name, row[0].value_or("")) : row[0].value_or(""));
        if (row[1]) finding.cures.push_back(check.in_each_database ? formatted("{} -- in database {}", *row[1], name) : *row[1]);
    }
    return {};
}

}  // namespace

Result<OldClusterFacts> read_old_cluster(const fs::path& data_directory, int major, bool running, ClusterCatalogs& catalogs, const std::string& database,
                                         const CancelToken& cancel) {
    OldClusterFacts facts;
    facts.data_directory = data_directory;
    facts.files = names_in(data_directory);
    TRY_ASSIGN(const ControlFile control, read_control_file(data_directory));
    facts.running = running;
    struct stat directory;
    if (::stat(data_directory.c_str(), &directory) != 0) return Error::from_errno(errno, formatted("could not look at \"{}\"", data_directory.native()));
    std::error_code no_link;
    facts.transfer.wal_elsewhere = fs::read_symlink(data_directory / "pg_wal", no_link).is_absolute();
    facts.traits.major = major;
    facts.traits.data_checksums = control.has_data_checksums();
    facts.traits.group_access = (directory.st_mode & S_IRGRP) != 0;
    facts.traits.wal_segment_mb = static_cast<int>(control.wal_segment_size >> 20);
    const OldClusterReader reader(catalogs, database, cancel);
    TRY(reader.read_traits(facts.traits, facts.version_num));
    TRY(reader.read_databases(facts));
    TRY(reader.read_tablespaces(facts));
    TRY(reader.read_replication(facts));
    TRY(reader.read_settings(facts));
    TRY(reader.read_code(facts));
    return facts;
}

Result<std::vector<UpgradeFinding>> run_catalog_checks(const OldClusterFacts& old, const UpgradeHop& hop, ClusterCatalogs& catalogs, const std::string& database,
                                                       const CancelToken& cancel) {
    const std::span<const CatalogCheck> checks = catalog_checks();
    std::vector<UpgradeFinding> findings;
    for (const CatalogCheck& check : checks) findings.push_back(begin_finding(check));
    const auto run = [&](bool in_each_database, const std::string& asked) -> Result<void> {
        for (size_t i = 0; i < checks.size(); ++i)
            if (checks[i].applies(hop) && checks[i].in_each_database == in_each_database) TRY(run_check(checks[i], findings[i], catalogs, asked, cancel));
        return {};
    };
    TRY(run(false, database));
    // One database after the other: with the server down each takes a session of its own.
    for (const std::string& each : old.databases) TRY(run(true, each));
    std::erase_if(findings, [](const UpgradeFinding& finding) { return finding.objects.empty(); });
    return findings;
}

}  // namespace steward
