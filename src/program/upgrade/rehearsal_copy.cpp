#include "program/upgrade/rehearsal_copy.h"

#include <algorithm>
#include <system_error>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/configuration.h"
#include "program/upgrade/cluster_directories.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

constexpr std::string_view kTablespaceLinks = "pg_tblspc";
constexpr std::string_view kWal = "pg_wal";
constexpr uint64_t kMostSettings = 64 << 20;

bool is_in(const fs::path& path, const fs::path& directory) { return path == directory || path.native().starts_with(directory.native() + "/"); }

struct Link {
    fs::path name;    ///< below the data directory
    fs::path target;  ///< absolute, as far as it is there without symbolic links
};

/// Links in `directory` and below it.
std::vector<Link> links_in(const fs::path& directory) {
    std::vector<Link> links;
    std::error_code problem;
    for (fs::recursive_directory_iterator entry(directory, problem), end; !problem && entry != end; entry.increment(problem)) {
        std::error_code ignored;
        if (!entry->is_symlink(ignored)) continue;
        const fs::path target = entry->path().parent_path() / fs::read_symlink(entry->path(), ignored);
        links.push_back({entry->path().lexically_relative(directory), fs::weakly_canonical(target, ignored)});
    }
    return links;
}

/// "pg_tblspc/16384"
bool is_of_tablespace(const Link& link) { return link.name.parent_path() == kTablespaceLinks; }

Error bad_link(const fs::path& link, std::string_view why) {
    return Error(ErrorCode::wrong_state, formatted("the copy cannot have what \"{}\" leads to", link.native()))
        .detail(std::string(why))
        .hint("Replace the link with what it leads to, or rehearse with a backup (--from-backup).")
        .object(link.native());
}

class ClusterCopy {
public:
    ClusterCopy(const std::vector<RehearsedDirectory>& directories, const ScratchDirectory& scratch, const CancelToken& cancel)
        : directories_(directories), original_(directories.front().original), copy_(directories.front().copy), scratch_(scratch), cancel_(cancel) {}

    Result<CopiedTree> run() {
        for (const RehearsedDirectory& directory : directories_) {
            TRY(create_directories_durably(directory.copy.parent_path()));
            TRY(copy(directory.original, directory.copy));
        }
        for (const Link& link : links_in(original_)) TRY(replace(link));
        TRY(sync_directory(copy_));
        return total_;
    }

private:
    Result<void> copy(const fs::path& from, const fs::path& to) {
        TRY_ASSIGN(const CopiedTree copied, copy_tree(from, to, cancel_));
        total_.files += copied.files;
        total_.bytes += copied.bytes;
        total_.shared_bytes += copied.shared_bytes;
        return {};
    }

    /// The copy has the original's links as they are. None may lead to what the original uses.
    Result<void> replace(const Link& link) {
        const fs::path place = copy_ / link.name;
        TRY(remove_tree(place));
        if (is_in(link.target, original_)) return make_link(copy_ / link.target.lexically_relative(original_), place);
        if (is_of_tablespace(link)) return make_tablespace(link, place);
        if (link.name == kWal) return make_link(scratch_.file("wal"), place);
        return copy_target(link, place);
    }

    static Result<void> make_link(const fs::path& target, const fs::path& place) {
        std::error_code problem;
        fs::create_symlink(target.lexically_normal(), place, problem);
        if (problem) return Error::from_errno(problem.value(), formatted("could not make link \"{}\"", place.native())).object(place.native());
        return {};
    }

    /// Other majors' directories there are in the way of an upgrade: the copy has them too, without what is in them.
    Result<void> make_tablespace(const Link& link, const fs::path& place) {
        const fs::path own = scratch_.tablespaces() / link.name.filename();
        TRY(create_directories_durably(own));
        std::error_code problem;
        for (fs::directory_iterator entry(link.target, problem), end; !problem && entry != end; entry.increment(problem)) {
            std::error_code ignored;
            if (entry->path().filename().native().starts_with("PG_")) fs::create_directory(own / entry->path().filename(), ignored);
        }
        return make_link(own, place);
    }

    Result<void> copy_target(const Link& link, const fs::path& place) {
        std::error_code problem;
        if (is_in(original_, link.target) || is_in(copy_, link.target)) return bad_link(original_ / link.name, formatted("\"{}\" holds the data directory.", link.target.native()));
        // It leads to nothing that a server could use.
        if (!fs::exists(link.target, problem)) return {};
        if (fs::is_directory(link.target, problem)) {
            if (!links_in(link.target).empty()) return bad_link(original_ / link.name, formatted("There are links in \"{}\" in their turn.", link.target.native()));
            return copy(link.target, place);
        }
        if (!fs::copy_file(link.target, place, problem)) return Error::from_errno(problem.value(), formatted("could not copy file \"{}\"", link.target.native())).object(link.target.native());
        return {};
    }

    const std::vector<RehearsedDirectory>& directories_;
    const fs::path& original_;
    const fs::path& copy_;
    const ScratchDirectory& scratch_;
    const CancelToken& cancel_;
    CopiedTree total_;
};

/// The target of the data directory's pg_wal; empty when it is no link that leads out of it.
fs::path wal_elsewhere(const fs::path& cluster) {
    std::error_code problem;
    if (!fs::is_symlink(cluster / kWal, problem)) return {};
    fs::path target = fs::weakly_canonical(cluster / kWal, problem);
    return problem || is_in(target, cluster) ? fs::path() : target;
}

}  // namespace

std::vector<RehearsedDirectory> directories_of(const fs::path& cluster, int major, const ScratchDirectory& scratch) {
    std::vector<RehearsedDirectory> directories = {{cluster, scratch.data_directory()}};
    if (fs::path wal = wal_elsewhere(cluster); !wal.empty()) directories.push_back({std::move(wal), scratch.file("wal")});
    for (const Link& link : links_in(cluster / kTablespaceLinks)) {
        if (is_in(link.target, cluster)) continue;
        for (const fs::path& directory : version_directories(link.target, major)) directories.push_back({directory, scratch.tablespaces() / link.name / directory.filename()});
    }
    return directories;
}

Result<CopiedTree> copy_cluster(const std::vector<RehearsedDirectory>& directories, const ScratchDirectory& scratch, const CancelToken& cancel) {
    return ClusterCopy(directories, scratch, cancel).run();
}

Result<void> move_wal_elsewhere(const fs::path& cluster, const ScratchDirectory& scratch) {
    if (wal_elsewhere(cluster).empty()) return {};
    const fs::path place = scratch.data_directory() / kWal, elsewhere = scratch.file("wal");
    TRY(rename_durably(place, elsewhere));
    std::error_code problem;
    fs::create_symlink(elsewhere, place, problem);
    if (problem) return Error::from_errno(problem.value(), formatted("could not make link \"{}\"", place.native())).object(place.native());
    return {};
}

Result<void> isolate_copy(const fs::path& data_directory) {
    const ConfigurationChanges changes = {{"archive_mode", "off"},
                                          {"archive_command", ""},
                                          {"archive_cleanup_command", ""},
                                          {"recovery_end_command", ""},
                                          {"primary_conninfo", ""},
                                          // Recovery has ended when a server accepts connections.
                                          {"hot_standby", "off"},
                                          {"listen_addresses", ""},
                                          {"external_pid_file", ""},
                                          {"logging_collector", "off"},
                                          {"max_logical_replication_workers", "0"},
                                          // Beside the cluster's own server there may be none left.
                                          {"huge_pages", "off"},
                                          {"steward.repository", ""},
                                          {"cron.launch_active_jobs", "off"}};
    const fs::path file = data_directory / "postgresql.auto.conf";
    Result<Bytes> content = read_file(file, kMostSettings);
    if (!content.ok() && content.error().code() != ErrorCode::not_found) return std::move(content).error();
    return write_file_durably(file, as_bytes(set_configuration(content.ok() ? as_text(*content) : std::string_view(), changes)));
}

}  // namespace steward
