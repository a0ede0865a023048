#include "program/upgrade/read_facts.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <array>
#include <charconv>
#include <memory>
#include <set>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/pg_control.h"
#include "core/postgres/sql_quoting.h"
#include "core/upgrade/check_cluster.h"
#include "program/single_user/single_user_session.h"

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

/// Whether files in `directory` can share blocks: tried with two that have no name.
bool can_reflink(const fs::path& directory) {
    constexpr std::string_view kContent = "x";
    const Result<UniqueFd> from = open_file(directory, O_TMPFILE | O_RDWR), to = open_file(directory, O_TMPFILE | O_RDWR);
    if (!from.ok() || !to.ok() || !write_all(from->get(), as_bytes(kContent), directory).ok()) return false;
    return ::ioctl(to->get(), FICLONE, from->get()) == 0;
}

Result<TransferFacts> read_transfer_facts(const fs::path& data_directory) {
    const fs::path parent = data_directory.parent_path();
    struct stat own, beside;
    struct statvfs space;
    if (::stat(data_directory.c_str(), &own) != 0 || ::stat(parent.c_str(), &beside) != 0 || ::statvfs(parent.c_str(), &space) != 0)
        return Error::from_errno(errno, formatted("could not look at the file system of \"{}\"", parent.native())).object(parent.native());
    TransferFacts facts;
    facts.free_bytes = static_cast<uint64_t>(space.f_bavail) * space.f_frsize;
    facts.one_file_system = own.st_dev == beside.st_dev;
    facts.reflinks = facts.one_file_system && can_reflink(parent);
    return facts;
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
        const std::array<std::string_view, 1> size = {"sum(pg_database_size(d.oid))"};
        TRY_ASSIGN(const std::vector<Row> sizes, catalogs_.select(database_, size, "FROM pg_database d", cancel_));
        if (!sizes.empty()) facts.transfer.data_bytes = number_in<uint64_t>(sizes.front()[0]);
        return {};
    }

    Result<void> read_tablespaces(OldClusterFacts& facts) const {
        const std::array<std::string_view, 2> columns = {"t.spcname", "pg_tablespace_location(t.oid)"};
        TRY_ASSIGN(const std::vector<Row> rows, catalogs_.select(database_, columns, "FROM pg_tablespace t WHERE t.oid >= 16384 ORDER BY t.oid", cancel_));
        for (const Row& row : rows) {
            const fs::path location = row[1].value_or("");
            // One without a directory of its own is another check's.
            if (location.is_absolute()) facts.tablespaces.push_back({row[0].value_or(""), location, names_in(location)});
        }
        return {};
    }

    Result<void> read_settings(OldClusterFacts& facts) const {
        const std::array<std::string_view, 4> lines = {"lower(f.name)", "f.setting", "f.sourcefile", "f.sourceline"};
        TRY_ASSIGN(const std::vector<Row> rows, catalogs_.select(database_, lines, "FROM pg_file_settings f WHERE f.name IS NOT NULL ORDER BY f.seqno", cancel_));
        for (const Row& row : rows)
            facts.settings.push_back({row[0].value_or(""), row[1].value_or(""), formatted("{}, line {}", row[2].value_or("?"), row[3].value_or("?"))});
        const std::array<std::string_view, 3> own = {
            "lower(split_part(c.item, '=', 1))",
            "substr(c.item, strpos(c.item, '=') + 1)",
            "concat_ws(' in ', CASE WHEN s.setrole <> 0 THEN 'role ' || quote_ident(pg_get_userbyid(s.setrole)) END,"
            " 'database ' || (SELECT quote_ident(d.datname) FROM pg_database d WHERE d.oid = s.setdatabase))",
        };
        TRY_ASSIGN(const std::vector<Row> own_rows, catalogs_.select(database_, own, "FROM pg_db_role_setting s, unnest(s.setconfig) c(item) ORDER BY 1, 3", cancel_));
        for (const Row& row : own_rows) facts.settings.push_back({row[0].value_or(""), row[1].value_or(""), row[2].value_or("")});
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

class NewMajorReader {
public:
    NewMajorReader(const TrialCluster& trial, RetryTimer& timer, const CancelToken& cancel) : trial_(trial), timer_(timer), cancel_(cancel) {}

    /// Begin with a server of its own. Any that is there ends first.
    Result<void> open() {
        session_.reset();
        TRY_ASSIGN(SingleUserSession session, SingleUserSession::start(trial_.server(), timer_, cancel_));
        session_ = std::make_unique<SingleUserSession>(std::move(session));
        return {};
    }

    Result<void> close() { return session_->finish(cancel_); }

    Result<void> read_version(NewMajorFacts& facts) {
        const std::array<std::string_view, 1> version = {"current_setting('server_version_num')"};
        TRY_ASSIGN(const std::vector<Row> rows, session_->select(version, "", cancel_));
        if (!rows.empty()) facts.version_num = number_in<int>(rows.front()[0]);
        return {};
    }

    Result<void> ask_for_settings(const std::vector<SettingLine>& lines, NewMajorFacts& facts) {
        std::set<std::string> names;
        for (const SettingLine& line : lines)
            if (line.name.find('.') == line.name.npos) names.insert(line.name);
        for (const std::string& name : names) {
            const std::string known = formatted("current_setting({}, true) IS NOT NULL", quote_sql_literal(name));
            const std::array<std::string_view, 1> column = {known};
            TRY_ASSIGN(const std::vector<Row> rows, session_->select(column, "", cancel_));
            facts.settings[name] = !rows.empty() && rows.front()[0] == "true";
        }
        return {};
    }

    Result<void> try_libraries(const std::set<std::string>& libraries, NewMajorFacts& facts) {
        for (const std::string& name : libraries) {
            const Result<void> loaded = session_->execute(formatted("LOAD {}", quote_sql_literal(name)), cancel_);
            if (loaded.ok()) continue;
            TRY(check_cancel(cancel_));
            facts.library_errors[name] = loaded.error().message();
            // Where it was the server's end as well, the next one needs another.
            TRY(open());
        }
        return {};
    }

    Result<void> ask_for_extensions(const std::vector<InstalledExtension>& extensions, NewMajorFacts& facts) {
        for (const InstalledExtension& extension : extensions) {
            const std::string name = quote_sql_literal(extension.name);
            const std::string path = formatted("EXISTS (SELECT FROM pg_extension_update_paths({}) p WHERE p.source = {} AND p.target = e.default_version AND p.path IS NOT NULL)",
                                               name, quote_sql_literal(extension.version));
            const std::array<std::string_view, 2> columns = {"e.default_version", path};
            TRY_ASSIGN(const std::vector<Row> rows, session_->select(columns, formatted("FROM pg_available_extensions e WHERE e.name = {}", name), cancel_));
            if (!rows.empty()) facts.extensions[{extension.name, extension.version}] = {rows.front()[0].value_or(""), rows.front()[1] == "true"};
        }
        return {};
    }

private:
    const TrialCluster& trial_;
    RetryTimer& timer_;
    const CancelToken& cancel_;
    std::unique_ptr<SingleUserSession> session_;
};

}  // namespace

Result<OldClusterFacts> read_old_cluster(const fs::path& data_directory, int major, bool running, ClusterCatalogs& catalogs, const std::string& database,
                                         const CancelToken& cancel) {
    OldClusterFacts facts;
    facts.data_directory = data_directory;
    facts.files = names_in(data_directory);
    TRY_ASSIGN(facts.transfer, read_transfer_facts(data_directory));
    TRY_ASSIGN(const ControlFile control, read_control_file(data_directory));
    facts.running = running;
    struct stat directory;
    if (::stat(data_directory.c_str(), &directory) != 0) return Error::from_errno(errno, formatted("could not look at \"{}\"", data_directory.native()));
    facts.traits.major = major;
    facts.traits.data_checksums = control.has_data_checksums();
    facts.traits.group_access = (directory.st_mode & S_IRGRP) != 0;
    facts.traits.wal_segment_mb = static_cast<int>(control.wal_segment_size >> 20);
    const OldClusterReader reader(catalogs, database, cancel);
    TRY(reader.read_traits(facts.traits, facts.version_num));
    TRY(reader.read_databases(facts));
    TRY(reader.read_tablespaces(facts));
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

Result<NewMajorFacts> read_new_major(const OldClusterFacts& old, const TrialCluster& trial, RetryTimer& timer, const CancelToken& cancel) {
    NewMajorFacts facts;
    std::set<std::string> libraries = preloaded_libraries(old);
    for (const UsedLibrary& library : old.libraries) libraries.insert(library.name);
    NewMajorReader reader(trial, timer, cancel);
    TRY(reader.open());
    TRY(reader.read_version(facts));
    TRY(reader.ask_for_settings(old.settings, facts));
    TRY(reader.try_libraries(libraries, facts));
    TRY(reader.ask_for_extensions(old.extensions, facts));
    TRY(reader.close());
    return facts;
}

}  // namespace steward
