#include "program/upgrade/clusters_in_place.h"

#include <unistd.h>

#include <set>
#include <system_error>

#include "core/base/bytes.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/copy_tree.h"
#include "program/upgrade/mark_succession.h"
#include "program/upgrade/transfer.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

bool is_there(const fs::path& path) {
    std::error_code problem;
    return fs::exists(fs::symlink_status(path, problem));
}

bool is_whole(const SeenCluster& seen, int major) { return seen.major == major && !seen.disabled; }

Error nowhere(const UpgradeContext& context, std::string_view which) {
    return Error(ErrorCode::wrong_state, formatted("the {} cluster is not where it has to be", which))
        .detail(formatted("Neither \"{}\" nor a directory in \"{}\" is it.", context.places.data_directory.native(), context.places.root.native()))
        .hint("If somebody has moved it, move it back; else restore it from a backup.")
        .object(context.places.data_directory.native());
}

/// The directories of the work directory that are clusters, or were to be.
std::vector<fs::path> work_clusters(const UpgradeContext& context) {
    const UpgradePlaces& places = context.places;
    std::vector<fs::path> clusters = {places.preserved(), places.old(), places.discarded()};
    for (const int major : context.request.path) clusters.push_back(places.cluster_of(major));
    return clusters;
}

/// All tablespaces that a cluster of this upgrade has or had.
std::set<fs::path> all_locations(const UpgradeContext& context) {
    std::set<fs::path> locations = tablespace_locations(context.places.data_directory);
    for (const fs::path& cluster : work_clusters(context)) locations.merge(tablespace_locations(cluster));
    return locations;
}

Result<void> remove_version_directories(const UpgradeContext& context, int kept_major) {
    std::set<int> majors(context.request.path.begin(), context.request.path.end());
    majors.insert(context.request.from);
    majors.erase(kept_major);
    for (const fs::path& location : all_locations(context)) {
        for (const int major : majors)
            for (const fs::path& directory : version_directories(location, major)) TRY(remove_tree(directory));
        // Copies are of the old cluster, and not wanted any more in any case.
        std::error_code problem;
        for (fs::directory_iterator entry(location, problem), end; !problem && entry != end; entry.increment(problem))
            if (entry->path().native().ends_with(kPreservedSuffix)) TRY(remove_tree(entry->path()));
    }
    return {};
}

Result<void> remove_work_clusters(const UpgradeContext& context) {
    for (const fs::path& cluster : work_clusters(context)) TRY(remove_cluster(cluster));
    return {};
}

Result<void> remove_work_files(const UpgradeContext& context) {
    for (const fs::path& file : {context.places.facts(), context.places.fingerprint(), context.places.server_options(), context.places.hba(), context.places.root / "globals.sql",
                                 context.places.root / "dump"})
        TRY(remove_tree(file));
    return {};
}

/// The tablespaces' copies get their names back.
Result<void> restore_tablespaces(const UpgradeContext& context) {
    for (const fs::path& location : all_locations(context)) {
        std::error_code problem;
        std::vector<fs::path> copies;
        for (fs::directory_iterator entry(location, problem), end; !problem && entry != end; entry.increment(problem))
            if (entry->path().native().ends_with(kPreservedSuffix)) copies.push_back(entry->path());
        for (const fs::path& copy : copies) {
            const fs::path name = copy.native().substr(0, copy.native().size() - kPreservedSuffix.size());
            TRY(remove_tree(name));
            TRY(rename_durably(copy, name));
        }
    }
    return {};
}

/// Put the copy of the old cluster in its place. The directory itself comes last: as long as it is disabled, all of this is done again.
Result<void> restore_preserved(const UpgradeContext& context) {
    const UpgradePlaces& places = context.places;
    if (!is_there(places.preserved())) return nowhere(context, "old");
    TRY(restore_tablespaces(context));
    if (is_there(places.data_directory)) {
        TRY(remove_cluster(places.discarded()));
        TRY(rename_durably(places.data_directory, places.discarded()));
    }
    return rename_durably(places.preserved(), places.data_directory);
}

/// Between two renames, who mounts volumes or starts containers may make the directory that is missing. What is in the old cluster's place and is
/// none would be exchanged for it, and kept as if it were the old one.
Result<void> remove_empty_stand_in(const fs::path& directory) {
    if (!is_there(directory) || is_there(directory / "PG_VERSION")) return {};
    if (::rmdir(directory.c_str()) == 0) return {};
    return Error(ErrorCode::wrong_state, formatted("directory \"{}\" holds something else than a cluster", directory.native()))
        .detail("The new cluster is to have its place. The old one is kept beside it.")
        .hint("Move its content away, and run the upgrade again.")
        .object(directory.native());
}

/// Where the old cluster is after an exchange, whatever was done of it.
Result<fs::path> find_old_cluster(const UpgradeContext& context) {
    for (const fs::path& candidate : {context.places.old(), context.places.cluster_of(context.request.target())}) {
        TRY_ASSIGN(const SeenCluster seen, see_cluster(candidate));
        if (is_whole(seen, context.request.from)) return candidate;
    }
    return nowhere(context, "old");
}

Result<void> require_in_data_directory(const UpgradeContext& context, int major, std::string_view which) {
    TRY_ASSIGN(const SeenCluster seen, see_cluster(context.places.data_directory));
    if (!is_whole(seen, major)) return nowhere(context, which);
    return {};
}

/// In the repository the new cluster takes the old one's place, when it is started. link and swap have left the old one without its control file, but
/// there is its copy; where neither is any more, the exchange was begun and this has been done.
Result<void> let_new_one_go_on(const UpgradeContext& context, const SeenCluster& seen, const fs::path& made) {
    const UpgradePlaces& places = context.places;
    if (is_whole(seen, context.request.from)) return mark_succession(places.data_directory, made, SystemClock());
    return is_there(places.preserved()) ? mark_succession(places.preserved(), made, SystemClock()) : Result<void>();
}

/// Those of pg_upgrade would have "pg_ctl restart" start the old server as pg_upgrade did. A rename takes no room on a full disk.
Result<void> restore_server_options(const UpgradePlaces& places) {
    return is_there(places.server_options()) ? rename_durably(places.server_options(), places.data_directory / "postmaster.opts") : Result<void>();
}

}  // namespace

Result<void> clear_earlier_attempt(const UpgradeContext& context) {
    for (int hop = 1; hop <= static_cast<int>(context.request.path.size()); ++hop) TRY(keep_pg_upgrade_logs(context, hop));
    TRY_ASSIGN(const SeenCluster seen, see_cluster(context.places.data_directory));
    if (!is_whole(seen, context.request.from)) TRY(restore_preserved(context));
    TRY(require_in_data_directory(context, context.request.from, "old"));
    TRY(remove_version_directories(context, context.request.from));
    return remove_work_clusters(context);
}

Result<void> preserve_old_cluster(const UpgradeContext& context) {
    const UpgradePlaces& places = context.places;
    CopiedTree total;
    const auto preserve = [&](const fs::path& from, const fs::path& to) -> Result<void> {
        TRY(remove_tree(to));
        TRY_ASSIGN(const CopiedTree copied, copy_tree(from, to, context.cancel));
        TRY(compare_trees(from, to, context.cancel));
        total.files += copied.files;
        total.bytes += copied.bytes;
        total.shared_bytes += copied.shared_bytes;
        return {};
    };
    TRY(preserve(places.data_directory, places.preserved()));
    for (const fs::path& location : tablespace_locations(places.data_directory))
        for (const fs::path& directory : version_directories(location, context.request.from)) TRY(preserve(directory, directory.native() + std::string(kPreservedSuffix)));
    context.say(formatted("  {} files, {}, of these {} in shared blocks; every byte compared", total.files, pretty_size(total.bytes), pretty_size(total.shared_bytes)));
    return {};
}

Result<void> exchange_clusters(const UpgradeContext& context) {
    const UpgradePlaces& places = context.places;
    const fs::path made = places.cluster_of(context.request.target());
    TRY_ASSIGN(const SeenCluster seen, see_cluster(places.data_directory));
    if (seen.major != context.request.target()) {
        TRY_ASSIGN(const SeenCluster seen_made, see_cluster(made));
        if (!is_whole(seen_made, context.request.target())) return nowhere(context, "new");
        // It tells how our private server was started.
        TRY(remove_tree(made / "postmaster.opts"));
        TRY(sync_directory(made));
        TRY(remove_empty_stand_in(places.data_directory));
        TRY(let_new_one_go_on(context, seen, made));
        TRY(take_place(made, places.data_directory, places.old()));
    } else if (is_there(made)) {
        TRY(rename_durably(made, places.old()));
    }
    return require_in_data_directory(context, context.request.target(), "new");
}

Result<std::optional<Succession>> describe_way_back(const UpgradeContext& context) {
    const UpgradePlaces& places = context.places;
    TRY_ASSIGN(const SeenCluster seen, see_cluster(places.data_directory));
    if (!is_whole(seen, context.request.target())) return std::optional<Succession>();
    fs::path old = places.preserved();
    if (!context.request.needs_preserving()) {
        TRY_ASSIGN(old, find_old_cluster(context));
    }
    if (!is_there(old)) return nowhere(context, "old");
    TRY_ASSIGN(Succession mark, describe_succession(places.data_directory, old, SystemClock()));
    return std::optional(std::move(mark));
}

Result<void> bring_back_old_cluster(const UpgradeContext& context) {
    const UpgradePlaces& places = context.places;
    for (int hop = 1; hop <= static_cast<int>(context.request.path.size()); ++hop) TRY(keep_pg_upgrade_logs(context, hop));
    TRY_ASSIGN(const SeenCluster seen, see_cluster(places.data_directory));
    if (!is_whole(seen, context.request.from)) {
        if (context.request.needs_preserving()) {
            TRY(restore_preserved(context));
        } else {
            TRY_ASSIGN(const fs::path old, find_old_cluster(context));
            TRY(take_place(old, places.data_directory, places.discarded()));
        }
    }
    return require_in_data_directory(context, context.request.from, "old");
}

Result<void> remove_what_was_made(const UpgradeContext& context) {
    TRY(require_in_data_directory(context, context.request.from, "old"));
    TRY(remove_version_directories(context, context.request.from));
    TRY(remove_work_clusters(context));
    TRY(restore_server_options(context.places));
    return remove_work_files(context);
}

Result<void> remove_old_cluster(const UpgradeContext& context) {
    TRY(require_in_data_directory(context, context.request.target(), "new"));
    TRY(remove_version_directories(context, context.request.target()));
    TRY(remove_work_clusters(context));
    TRY(remove_work_files(context));
    TRY(remove_tree(context.places.logs()));
    TRY(remove_tree(context.places.rehearsal_record()));
    TRY(sync_directory(context.places.root));
    // Without it, what is left is an empty directory and not an upgrade.
    TRY(remove_tree(context.places.journal()));
    return remove_tree(context.places.root);
}

}  // namespace steward
