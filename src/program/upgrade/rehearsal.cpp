#include "program/upgrade/rehearsal.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <system_error>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/proof/scratch_directory.h"
#include "core/repository/succession.h"
#include "program/niceness.h"
#include "program/single_user/offline_cluster.h"
#include "program/upgrade/cluster_directories.h"
#include "program/upgrade/clusters_in_place.h"
#include "program/upgrade/disk_use.h"
#include "program/upgrade/leftover_processes.h"
#include "program/upgrade/page_cache.h"
#include "program/upgrade/plan_request.h"
#include "program/upgrade/rehearsal_copy.h"
#include "program/upgrade/rehearsal_restore.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

using namespace std::chrono_literals;

/// What a killed rehearsal has left running ends within this.
constexpr auto kLeftovers = 60s;
constexpr std::chrono::milliseconds kLook{200};
constexpr ScratchUse kRehearsal = {"rehearsal", "Wait until it has ended, or rehearse in another directory with --at.", "name another directory with --at"};

/// Goes on at the pace of a clock that nobody sets.
class PacedClock final : public Clock {
public:
    explicit PacedClock(const Clock& clock) : begin_(clock.now()) {}
    TimePoint now() const override { return begin_ + std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - paced_from_); }

private:
    const TimePoint begin_;
    const std::chrono::steady_clock::time_point paced_from_ = std::chrono::steady_clock::now();
};

bool is_in(const fs::path& path, const fs::path& directory) { return path == directory || path.native().starts_with(directory.native() + "/"); }

std::optional<dev_t> file_system_of(const fs::path& path) {
    struct stat st;
    return ::stat(path.c_str(), &st) == 0 ? std::optional(st.st_dev) : std::nullopt;
}

/// What the commit removes of a tablespace.
std::vector<fs::path> removed_by_commit(const fs::path& tablespace, const UpgradeRequest& request) {
    std::vector<fs::path> removed = version_directories(tablespace, request.from);
    std::error_code problem;
    for (fs::directory_iterator entry(tablespace, problem), end; !problem && entry != end; entry.increment(problem))
        if (entry->path().native().ends_with(kPreservedSuffix)) removed.push_back(entry->path());
    return removed;
}

class Rehearsal {
public:
    Rehearsal(const RehearsalInputs& inputs, fs::path cluster, const UpgradeSurroundings& surroundings)
        : in_(inputs), cluster_(std::move(cluster)), around_(surroundings), clock_(surroundings.clock) {}

    Result<RehearsalRecord> run() {
        TRY(look());
        TRY_ASSIGN(ScratchDirectory scratch, take_place());
        const UpgradePlaces places(scratch.data_directory());
        Result<void> rehearsed = rehearse(scratch, places);
        if (!rehearsed.ok()) return clean_up_after(std::move(rehearsed).error(), scratch, places);
        if (::chdir("/") != 0) return Error::from_errno(errno, "could not change to directory \"/\"");
        if (in_.keep) {
            scratch.leave();
        } else {
            TRY(scratch.remove());
        }
        write_record();
        return std::move(record_);
    }

private:
    /// What can be known without touching anything.
    Result<void> look() {
        TRY(choose_place());
        TRY(check_standing());
        TRY_ASSIGN(const DirectoryFacts facts, inspect_directory(cluster_));
        if (facts.mount_point)
            return Error(ErrorCode::wrong_state, formatted("data directory \"{}\" is a mount point", cluster_.native()))
                .detail("The upgrade would be refused: the new cluster takes the old one's place by a rename.")
                .hint("\"pg_steward upgrade check\" tells what to do.")
                .object(cluster_.native());
        TRY_ASSIGN(offline_, look_at_cluster(cluster_));
        TRY_ASSIGN(server_, find_single_user_server(offline_, in_.upgrade.bindir, in_.upgrade.config_file));
        TRY(check_majors(in_.upgrade, server_.program.parent_path(), offline_.major));
        from_backup_ = in_.from_backup || facts.server;
        is_running_ = facts.server.has_value();
        if (is_running_ && in_.settings.repositories.empty())
            return Error(ErrorCode::wrong_state, formatted("data directory \"{}\" is in use by a running server, and no repository is set", cluster_.native()))
                .detail("The files of a running server are no copy of a cluster. A backup is one.")
                .hint("Name the repository of the server's backups with --repository, or stop the server for as long as it takes to copy the cluster.")
                .object(cluster_.native());
        if (!from_backup_ && !offline_.was_shut_down())
            return Error(ErrorCode::wrong_state, formatted("the server of \"{}\" was not shut down cleanly", cluster_.native()))
                .hint("Start it and shut it down, or rehearse with a backup (--from-backup).")
                .object(cluster_.native());
        return {};
    }

    Result<void> check_standing() const {
        const UpgradePlaces places(cluster_);
        TRY_ASSIGN(const std::vector<JournalEntry> entries, UpgradeJournal::read(places));
        TRY_ASSIGN(const SeenCluster seen, see_cluster(cluster_));
        const UpgradeState state = judge_upgrade(last_run(entries), seen).state;
        if (state == UpgradeState::kNotBegun || state == UpgradeState::kRolledBack) return {};
        return Error(ErrorCode::wrong_state, formatted("an upgrade of this data directory is in state \"{}\"", name_of(state)))
            .hint("Finish it or take it back first; \"pg_steward upgrade status\" tells how.")
            .object(places.root.native());
    }

    Result<void> choose_place() {
        place_ = cluster_.native() + ".rehearsal";
        if (in_.place.empty()) return {};
        // Its parent is there, and it need not be.
        TRY_ASSIGN(place_, resolve_data_directory(in_.place));
        for (const fs::path& taken : taken_places())
            if (is_in(place_, taken))
                return Error(ErrorCode::invalid_argument, formatted("directory \"{}\" for the rehearsal is in \"{}\"", place_.native(), taken.native()))
                    .hint("Name one that is neither in the data directory nor in a tablespace.")
                    .object(place_.native());
        return {};
    }

    Result<ScratchDirectory> take_place() const {
        Result<ScratchDirectory> taken = ScratchDirectory::take(place_, kRehearsal);
        if (!taken.ok()) return taken;
        TRY(clear(*taken));
        return taken;
    }

    std::vector<fs::path> taken_places() const {
        std::vector<fs::path> places = {cluster_, UpgradePlaces(cluster_).root};
        std::ranges::copy(tablespace_locations(cluster_), std::back_inserter(places));
        return places;
    }

    /// Of what a killed rehearsal has left. Servers that ended with it may take a moment to do so.
    Result<void> clear(ScratchDirectory& scratch) const {
        const auto deadline = around_.timer.now() + kLeftovers;
        for (;;) {
            Result<void> ended = end_leftover_processes(UpgradePlaces(scratch.data_directory()), around_.timer, around_.cancel);
            if (ended.ok()) return scratch.remove_content();
            if (ended.error().code() != ErrorCode::busy || around_.timer.now() >= deadline) {
                scratch.leave();
                return ended;
            }
            around_.timer.wait(kLook, around_.cancel);
        }
    }

    Result<void> rehearse(const ScratchDirectory& scratch, const UpgradePlaces& places) {
        if (is_running_) be_nice();
        const std::vector<RehearsedDirectory> directories = directories_of(cluster_, offline_.major, scratch);
        std::vector<CachedChunks> cached;
        for (const RehearsedDirectory& directory : directories) cached.push_back(look_at_cache(directory.original));
        const TimePoint began = clock_.now();
        TRY(from_backup_ ? restore(scratch, places) : copy(directories, scratch));
        record_.evidence = clock_.now() - began;
        TRY(isolate_copy(scratch.data_directory()));
        for (size_t i = 0; i < directories.size(); ++i) {
            imitate_cache(directories[i].copy, cached[i]);
            if (!from_backup_) imitate_cache(directories[i].original, cached[i]);
        }
        note_caveats(directories, scratch);
        return upgrade(scratch, places);
    }

    Result<void> copy(const std::vector<RehearsedDirectory>& directories, const ScratchDirectory& scratch) {
        DiskUse size;
        for (const RehearsedDirectory& directory : directories) size.add(directory.original);
        TRY_ASSIGN(const bool shares, can_share_blocks(scratch.path()));
        if (!shares) TRY(check_rehearsal_room(scratch.path(), size.taken(), "a copy of the cluster"));
        around_.say(formatted("copying {} to \"{}\"", pretty_size(size.taken()), scratch.path().native()));
        TRY_ASSIGN(const SeenCluster before, see_cluster(cluster_));
        TRY_ASSIGN(const CopiedTree copied, copy_cluster(directories, scratch, around_.cancel));
        TRY_ASSIGN(const SeenCluster after, see_cluster(cluster_));
        if (before.mark != after.mark || find_running_server(cluster_))
            return Error(ErrorCode::busy, formatted("a server was started on \"{}\" while it was copied", cluster_.native())).hint("Rehearse again, with the server down or with a backup.");
        record_.shares_blocks = copied.shared_bytes > 0;
        return {};
    }

    /// Whether the copy is made without taking room.
    Result<bool> can_share_blocks(const fs::path& directory) const {
        const bool one_file_system = file_system_of(directory) == file_system_of(cluster_);
        return one_file_system && can_reflink(directory);
    }

    Result<void> restore(const ScratchDirectory& scratch, const UpgradePlaces& places) {
        around_.say(formatted("restoring a backup to \"{}\"", scratch.path().native()));
        TRY(create_directories_durably(places.logs()));
        TRY_ASSIGN(record_.backup, restore_for_rehearsal({in_.settings, in_.backup, cluster_, offline_.control.system_identifier, server_.program.parent_path(), server_.config_file,
                                                          offline_.major, around_.clock, around_.timer, in_.log, in_.progress, around_.cancel},
                                                         scratch, places.logs() / "recovery.log"));
        around_.say(formatted("backup {} is restored and recovered", record_.backup));
        return {};
    }

    void note_caveats(const std::vector<RehearsedDirectory>& directories, const ScratchDirectory& scratch) {
        const std::optional<dev_t> own = file_system_of(scratch.path());
        if (file_system_of(cluster_) != own) record_.caveats.emplace_back("The rehearsal was on another file system than the cluster, which may be quicker or slower, and allow other methods.");
        const bool others = std::any_of(directories.begin() + 1, directories.end(),
                                        [&](const RehearsedDirectory& directory) { return file_system_of(directory.original) != file_system_of(cluster_); });
        if (others) record_.caveats.emplace_back("WAL and tablespaces that the cluster has on other file systems were in the directory of the rehearsal.");
        if (is_running_) record_.caveats.emplace_back("The rehearsal gave way to the running server, which the upgrade does not have beside it.");
        if (from_backup_) record_.caveats.emplace_back("A backup holds no rows of unlogged tables, and what was written since its last WAL is not in it.");
    }

    Result<void> upgrade(const ScratchDirectory& scratch, const UpgradePlaces& places) {
        UpgradeRunInputs inputs = in_.upgrade;
        inputs.data_directory = scratch.data_directory();
        inputs.bindir = server_.program.parent_path();
        inputs.config_file = rehearsed_config(server_.config_file, cluster_, scratch);
        inputs.dry_run = false;
        record_.data_bytes = bytes_in(scratch);
        UpgradeSurroundings around{clock_, around_.timer, around_.cancel, [&](const std::string& line) { hear(line); }};
        around.found = [&](const UpgradeCheckReport& report) { record_.findings.insert(record_.findings.end(), report.findings.begin(), report.findings.end()); };
        around.grown = [&] {
            const uint64_t taken = bytes_in(scratch);
            record_.peak_bytes = std::max(record_.peak_bytes, taken - std::min(taken, record_.data_bytes));
        };
        record_.time = clock_.now();
        TRY(run_upgrade(inputs, around));
        // Should somebody keep and start it, it must not take the cluster's name in the repository.
        TRY(remove_tree(places.data_directory / kSuccessionFile));
        return measure(scratch, places);
    }

    /// Pages are shown; lines about single things are noted, too.
    void hear(const std::string& line) {
        around_.say(line);
        if (line.starts_with("  ") && !line.ends_with('\n')) record_.notes.push_back(line.substr(line.find_first_not_of(' ')));
    }

    static uint64_t bytes_in(const ScratchDirectory& scratch) {
        DiskUse use;
        use.add(scratch.path());
        return use.taken();
    }

    Result<void> measure(const ScratchDirectory& scratch, const UpgradePlaces& places) {
        TRY_ASSIGN(const std::vector<JournalEntry> entries, UpgradeJournal::read(places));
        const std::span<const JournalEntry> run = last_run(entries);
        record_.data_directory = cluster_;
        record_.place = scratch.path();
        record_.request = *run.front().request;
        record_.planning = run.front().at - record_.time;
        record_.steps = time_steps(run);
        DiskUse kept;
        kept.add(places.root);
        std::error_code none;
        if (const fs::path wal = fs::read_symlink(places.old() / "pg_wal", none); !none) kept.add(wal);
        for (const fs::path& location : tablespace_locations(places.data_directory))
            for (const fs::path& directory : removed_by_commit(location, record_.request)) kept.add(directory);
        record_.kept_bytes = kept.given_back();
        return {};
    }

    /// Nothing but the logs, if there are any, is left.
    Error clean_up_after(Error error, ScratchDirectory& scratch, const UpgradePlaces& places) const {
        const CancelSource never;
        static_cast<void>(end_leftover_processes(places, around_.timer, never.get_token()).ok());
        static_cast<void>(::chdir("/") == 0);
        std::error_code problem;
        const bool has_begun = fs::exists(places.journal(), problem), is_of_restore = from_backup_ && record_.backup.empty();
        // Who cancels has not found a fault, and what is in the way is all in the error.
        if (error.code() == ErrorCode::cancelled || (!has_begun && !is_of_restore) || fs::is_empty(places.logs(), problem) || problem) return error;
        const Result<void> removed = scratch.remove_content(places.root.filename().native());
        for (fs::directory_iterator entry(places.root, problem), end; removed.ok() && !problem && entry != end; entry.increment(problem))
            if (entry->path() != places.logs()) static_cast<void>(remove_tree(entry->path()).ok());
        scratch.leave();
        // That of a step tells how to go on with an upgrade.
        return std::move(error)
            .hint(formatted("The cluster was not touched. The logs of the rehearsal are in \"{}\" until the next one.", places.logs().native()))
            .context("while rehearsing the upgrade");
    }

    /// The rehearsal is told of all the same.
    void write_record() const {
        const fs::path file = UpgradePlaces(cluster_).rehearsal_record();
        if (const Result<void> written = write_file_durably(file, as_bytes(render_rehearsal_json(record_) + "\n")); !written.ok())
            in_.log.warning("rehearsal_not_recorded", written.error());
    }

    const RehearsalInputs& in_;
    const fs::path cluster_;
    const UpgradeSurroundings& around_;
    const PacedClock clock_;
    fs::path place_;
    OfflineCluster offline_;
    SingleUserServer server_;
    bool is_running_ = false, from_backup_ = false;
    RehearsalRecord record_;
};

}  // namespace

Result<RehearsalRecord> rehearse_upgrade(const RehearsalInputs& inputs, const UpgradeSurroundings& surroundings) {
    TRY_ASSIGN(const fs::path directory, resolve_data_directory(inputs.upgrade.data_directory));
    TRY(become_owner_of(UpgradePlaces(directory)));
    return Rehearsal(inputs, directory, surroundings).run();
}

}  // namespace steward
