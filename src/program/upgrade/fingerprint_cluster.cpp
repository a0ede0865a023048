#include "program/upgrade/fingerprint_cluster.h"

#include <algorithm>
#include <array>
#include <span>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/upgrade/carry_configuration.h"
#include "core/postgres/sql_quoting.h"
#include "program/single_user/offline_cluster.h"
#include "program/upgrade/read_facts.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Counted by one query: a program is started for each when the server runs.
constexpr size_t kRelationsAtOnce = 100;
constexpr size_t kMostDifferences = 20;
constexpr uint64_t kMostFingerprint = uint64_t{4} << 30;

class Fingerprinting {
public:
    Fingerprinting(ClusterCatalogs& catalogs, const CancelToken& cancel) : catalogs_(catalogs), cancel_(cancel) {}

    Result<void> read(const std::string& database, bool in_each_database) {
        for (const FingerprintQuery& query : fingerprint_queries()) {
            if (query.in_each_database != in_each_database) continue;
            const std::array<std::string_view, 1> column = {query.line};
            TRY_ASSIGN(const std::vector<SingleUserRow> rows, catalogs_.select(database, column, query.rest, cancel_));
            for (const SingleUserRow& row : rows) add(database, in_each_database, row[0].value_or(""));
        }
        return {};
    }

    Result<void> count(const std::string& database) {
        TRY_ASSIGN(const std::vector<SingleUserRow> rows, catalogs_.select(database, kCountedColumns, counted_relations(), cancel_));
        std::vector<CountedRelation> relations;
        for (const SingleUserRow& row : rows) relations.push_back({row[0].value_or(""), row[1].value_or(""), row[2] == "S"});
        for (std::span<const CountedRelation> rest = relations; !rest.empty();) {
            const auto now = rest.first(std::min(rest.size(), kRelationsAtOnce));
            rest = rest.subspan(now.size());
            TRY_ASSIGN(const std::vector<SingleUserRow> counts, catalogs_.select(database, kCountColumns, count_query(now), cancel_));
            for (size_t i = 0; i < counts.size() && i < now.size(); ++i) add(database, true, counted_line(now[i], counts[i][1].value_or("")));
        }
        return {};
    }

    Fingerprint finish() {
        std::ranges::sort(lines_);
        return std::move(lines_);
    }

private:
    void add(const std::string& database, bool in_each_database, const std::string& line) {
        lines_.push_back(escape_line(in_each_database ? formatted("database {}: {}", quote_sql_identifier(database), line) : line));
    }

    ClusterCatalogs& catalogs_;
    const CancelToken& cancel_;
    Fingerprint lines_;
};

std::string render(const Fingerprint& fingerprint) {
    std::string text;
    for (const std::string& line : fingerprint) text += line + "\n";
    return text;
}

Result<Fingerprint> read_fingerprint(const fs::path& file) {
    TRY_ASSIGN(const Bytes content, read_file(file, kMostFingerprint));
    Fingerprint fingerprint;
    for (std::string_view rest = as_text(content); !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(rest.size(), line.size() + 1));
        fingerprint.emplace_back(line);
    }
    return fingerprint;
}

/// What the last line says that sets it for the whole server.
std::string preload_of(const OldClusterFacts& old) {
    std::string value;
    for (const SettingLine& line : old.settings)
        if (line.name == "shared_preload_libraries") value = line.value;
    return preload_without_steward(value);
}

/// pg_upgrade's own start overwrites it, and "pg_ctl restart" reads it.
Result<void> keep_server_options(const UpgradePlaces& places) {
    constexpr uint64_t kMost = 1 << 20;
    std::error_code problem;
    if (fs::exists(places.server_options(), problem)) return {};
    const Result<Bytes> options = read_file(places.data_directory / "postmaster.opts", kMost);
    return options.ok() ? write_file_durably(places.server_options(), *options) : Result<void>();
}

}  // namespace

Result<Fingerprint> take_fingerprint(ClusterCatalogs& catalogs, const std::vector<std::string>& databases, const CancelToken& cancel) {
    Fingerprinting fingerprinting(catalogs, cancel);
    if (!databases.empty()) TRY(fingerprinting.read(databases.front(), false));
    for (const std::string& database : databases) {
        TRY(fingerprinting.read(database, true));
        TRY(fingerprinting.count(database));
    }
    return fingerprinting.finish();
}

Result<void> write_down_old_cluster(const UpgradeContext& context) {
    TRY_ASSIGN(const OfflineCluster cluster, look_at_cluster(context.places.data_directory));
    TRY_ASSIGN(const SingleUserServer server, find_single_user_server(cluster, context.bindir_of(0), context.request.config_file));
    TRY(keep_server_options(context.places));
    const std::unique_ptr<ClusterCatalogs> catalogs = offline_catalogs(server, context.timer);
    TRY_ASSIGN(const OldClusterFacts old, read_old_cluster(cluster.data_directory, cluster.major, false, *catalogs, server.database, context.cancel));
    TRY_ASSIGN(const Fingerprint fingerprint, take_fingerprint(*catalogs, old.databases, context.cancel));
    TRY(catalogs->finish(context.cancel));
    TRY(write_file_durably(context.places.fingerprint(), as_bytes(render(fingerprint))));
    TRY(write_facts({old.traits, old.databases, preload_of(old), replication_of(old)}, context.places.facts()));
    context.say(formatted("  {} databases, {} lines in \"{}\"", old.databases.size(), fingerprint.size(), context.places.fingerprint().native()));
    return {};
}

Result<void> compare_new_cluster(const UpgradeContext& context, const UpgradeFacts& facts, PrivateServer& server) {
    TRY_ASSIGN(const Fingerprint before, read_fingerprint(context.places.fingerprint()));
    const std::unique_ptr<ClusterCatalogs> catalogs = server.catalogs();
    TRY_ASSIGN(const Fingerprint after, take_fingerprint(*catalogs, facts.databases, context.cancel));
    const std::vector<std::string> differences = compare_fingerprints(before, after);
    if (differences.empty()) {
        context.say(formatted("  all {} lines are the same", before.size()));
        return {};
    }
    const fs::path file = context.places.logs() / "differences.txt";
    std::string shown;
    for (const std::string& line : std::span(differences).first(std::min(differences.size(), kMostDifferences))) shown += line + "\n";
    TRY(write_file_durably(file, as_bytes(render(differences))));
    return Error(ErrorCode::wrong_state, "the new cluster does not hold what the old one held")
        .detail(formatted("{} lines differ:\n{}", differences.size(), last_lines_of(shown, kMostDifferences)))
        .hint(formatted("The old cluster is where it was. See \"{}\", and take the upgrade back with \"pg_steward upgrade rollback\".", file.native()))
        .object(file.native());
}

}  // namespace steward
