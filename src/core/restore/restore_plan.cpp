#include "core/restore/restore_plan.h"

#include <algorithm>
#include <set>
#include <system_error>
#include <utility>

#include "core/base/format.h"
#include "core/base/json.h"
#include "core/restore/repository_facts.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Files of the backup that would decide how the restored server starts; this restore decides that.
constexpr std::string_view kNotRestored[] = {"backup_label",  "tablespace_map", "backup_manifest",         "standby.signal",
                                             "recovery.signal", "postmaster.pid", "postmaster.opts", kRestoreMarker};

Result<RestoreFacts> gather(std::span<const Repository> repositories) {
    std::vector<RepositoryContent> contents;
    for (const Repository& repository : repositories) {
        Result<RepositoryContent> content = read_content(repository);
        if (!content.ok()) return std::move(content).error().context(formatted("while listing repository \"{}\"", repository.url()));
        contents.push_back(std::move(content).value());
    }
    return merge_contents(contents, repositories.front().identity().wal_segment_size);
}

/// Load the manifest from the first repository that has it whole, beginning with number `first`.
Result<Manifest> load_manifest(std::span<const Repository> repositories, const std::string& label, size_t first, size_t& served) {
    std::optional<Error> failure;
    for (size_t i = 0; i < repositories.size(); ++i) {
        served = (first + i) % repositories.size();
        const Repository& repository = repositories[served];
        const std::string key = repository.layout().manifest(label);
        const Result<Bytes> content = repository.load(key, ObjectKind::kManifest);
        Result<Manifest> manifest = content.ok() ? parse_manifest(as_text(*content)) : Result<Manifest>(content.error());
        if (manifest.ok()) return manifest;
        if (!failure) failure = std::move(manifest).error().context(formatted("while reading object \"{}\" of repository \"{}\"", key, repository.url()));
    }
    return std::move(*failure);
}

Result<void> check_version(const BackupSummary& backup, const RestoreOptions& options) {
    if (!options.server_major || *options.server_major == backup.major) return {};
    return Error(ErrorCode::wrong_version, formatted("backup \"{}\" is of PostgreSQL {}, the installed server is {}", backup.label, backup.major,
                                                     *options.server_major))
        .hint(formatted("Install PostgreSQL {} and name its programs with --bindir.", backup.major));
}

Result<void> check_options(const RestoreOptions& options) {
    if (!options.standby) return {};
    if (options.databases.is_made())
        return Error(ErrorCode::usage, "a standby cannot leave out databases").detail("It receives the changes of all of them from its primary.");
    const RecoveryTarget& target = options.choice.target;
    if (target.kind != TargetKind::kLatest || target.timeline.kind != TimelineChoice::Kind::kLatest)
        return Error(ErrorCode::usage, "a standby cannot have a recovery target").detail("It follows its primary, on the latest timeline.");
    return check_standby(*options.standby);
}

/// A server that runs on another host or in another container cannot be seen, but for its lock file.
Result<void> check_lock_file(const fs::path& data_directory) {
    const fs::path lock_file = data_directory / "postmaster.pid";
    std::error_code problem;
    if (!fs::exists(lock_file, problem)) return {};
    return Error(ErrorCode::busy, formatted("lock file \"{}\" exists", lock_file.native()))
        .detail("A server runs in the data directory, or was not shut down.")
        .hint("Make sure that none does, on no other host and in no other container either, and remove the file.")
        .object(lock_file.native());
}

bool is_below(const fs::path& path, const fs::path& directory) {
    const fs::path relative = path.lexically_relative(directory);
    return !relative.empty() && *relative.begin() != "..";
}

Error bad_tablespace(const fs::path& path, std::string_view why) {
    return Error(ErrorCode::invalid_argument, formatted("tablespace directory \"{}\" {}", path.native(), why))
        .hint("Choose another one with --tablespace-map OLD=NEW.")
        .object(path.native());
}

fs::path new_location(const ManifestTablespace& tablespace, const RestoreOptions& options) {
    if (const auto mapped = options.tablespace_map.find(tablespace.location); mapped != options.tablespace_map.end()) return mapped->second;
    if (options.tablespace_root) return *options.tablespace_root / std::to_string(tablespace.oid);
    return tablespace.location;
}

Result<void> check_mapping_names(const Manifest& manifest, const RestoreOptions& options) {
    for (const auto& [from, to] : options.tablespace_map)
        if (std::ranges::none_of(manifest.tablespaces, [&](const ManifestTablespace& t) { return t.location == from; }))
            return Error(ErrorCode::invalid_argument, formatted("backup \"{}\" has no tablespace at \"{}\"", manifest.summary.label, from))
                .hint("Name the location as it was when the backup was taken; \"--dry-run\" lists them.")
                .object(from);
    return {};
}

mode_t mode_of_data_directory(const Manifest& manifest) {
    // Every directory of a cluster has the same mode, 0700 or, with group access, 0750 (initdb --allow-group-access).
    for (const ManifestDirectory& directory : manifest.directories)
        if (directory.path == "global" || directory.path == "base") return directory.mode & 0777;
    return 0700;
}

std::vector<std::string> wal_files_of(const RestoreFacts& facts, const Candidate& candidate) {
    const BackupSummary& backup = candidate.backup.summary;
    const uint32_t size = facts.wal.segment_size();
    std::vector<std::string> names;
    for (const WalSegmentName& segment : candidate.reach.segments) {
        if (segment.segment_number > segment_before(backup.stop_lsn, size)) break;
        names.push_back(to_string(segment, size));
        // pg_verifybackup looks for the backup's own timeline, recovery for the youngest.
        const WalSegmentName own{backup.timeline, segment.segment_number};
        if (own != segment && facts.wal.has(own)) names.push_back(to_string(own, size));
    }
    for (const auto& entry : candidate.history.ancestors())
        if (facts.histories.contains(entry.timeline)) names.push_back(timeline_history_name(entry.timeline));
    if (facts.histories.contains(candidate.history.timeline())) names.push_back(timeline_history_name(candidate.history.timeline()));
    return names;
}

RecoverySettings plan_recovery(const RestoreFacts& facts, const Candidate& candidate, const RestoreOptions& options) {
    RecoverySettings recovery{options.choice.target, timeline_setting(facts, candidate, options.choice.target), {}, options.standby};
    WalGetCommand wal_get = options.wal_get;
    // Without it wal-get takes the newest timeline for the one that is followed, which is what the server does with "latest".
    if (recovery.timeline != "latest") wal_get.timeline = candidate.history.timeline();
    recovery.restore_command = render_restore_command(wal_get);
    return recovery;
}

/// Decide which databases are restored, and take the content of the others out of the plan.
Result<void> plan_databases(RestorePlan& plan, std::span<const Repository> repositories, const DatabaseChoice& choice) {
    if (!choice.is_made()) return {};
    TRY_ASSIGN(const std::vector<ListedDatabase> databases, read_databases(repositories, plan.repository, plan.manifest));
    TRY_ASSIGN(plan.databases, select_databases(choice, databases, plan.manifest));
    leave_out_content(plan.manifest, *plan.databases);
    plan.recovery.invalid_pages = plan.databases->is_partial() ? InvalidPages::kIgnore : InvalidPages::kRefuse;
    return {};
}

void leave_out_startup_files(Manifest& manifest) {
    std::erase_if(manifest.files, [](const ManifestFile& file) { return std::ranges::find(kNotRestored, file.path) != std::end(kNotRestored); });
}

Result<SurplusContent> find_surplus_of(const RestorePlan& plan) {
    if (plan.directory.action != DirectoryAction::kCompare) return SurplusContent();
    std::map<uint32_t, fs::path> tablespaces;
    for (const PlannedTablespace& tablespace : plan.tablespaces)
        if (tablespace.directory.action == DirectoryAction::kCompare) tablespaces.emplace(tablespace.oid, tablespace.directory.path);
    return find_surplus(plan.manifest, plan.directory.path, tablespaces);
}

std::string describe_action(const DirectoryPlan& plan) {
    switch (plan.action) {
        case DirectoryAction::kCreate: return "new";
        case DirectoryAction::kUse: return "exists, empty";
        case DirectoryAction::kCompare: return "holds data, which is compared; only what differs is written";
        case DirectoryAction::kMoveAside: return formatted("renamed first to \"{}\"", plan.aside.native());
    }
    return {};
}

std::string_view action_name(DirectoryAction action) {
    switch (action) {
        case DirectoryAction::kCreate: return "create";
        case DirectoryAction::kUse: return "use";
        case DirectoryAction::kCompare: return "compare";
        case DirectoryAction::kMoveAside: return "move aside";
    }
    return {};
}

void describe_databases(const DatabaseSelection& databases, const auto& line) {
    const auto name = [](const ListedDatabase& database) { return formatted("{}, OID {}", describe_names(database), database.oid); };
    std::string_view heading = "databases";
    for (const ListedDatabase& database : databases.restored) line(std::exchange(heading, ""), name(database));
    heading = "left out";
    for (const LeftOutDatabase& left_out : databases.left_out)
        line(std::exchange(heading, ""), formatted("{}, {} files, {}", name(left_out.database), left_out.files, pretty_size(left_out.bytes)));
}

Json databases_json(const DatabaseSelection& databases) {
    Json json = {{"restored", Json::array()}, {"left_out", Json::array()}, {"statements_after", statements_after(databases)}};
    for (const ListedDatabase& database : databases.restored) json["restored"].push_back({{"oid", database.oid}, {"names", database.names}});
    for (const auto& [database, files, bytes] : databases.left_out)
        json["left_out"].push_back({{"oid", database.oid}, {"names", database.names}, {"files", files}, {"bytes", bytes}});
    return json;
}

void describe_standby(const StandbySettings& standby, const auto& line) {
    line("standby of", standby.primary_conninfo.empty() ? "no primary: it follows the repository alone" : standby.primary_conninfo);
    if (!standby.slot.empty()) line("", formatted("replication slot {}", standby.slot));
}

Json directory_json(const DirectoryPlan& plan) {
    Json json = {{"path", plan.path.native()}, {"action", action_name(plan.action)}};
    if (!plan.aside.empty()) json["moved_to"] = plan.aside.native();
    return json;
}

}  // namespace

Result<std::vector<PlannedTablespace>> plan_tablespaces(const Manifest& manifest, const RestoreOptions& options, const DirectoryFacts& data_directory,
                                                        const std::string& time_suffix) {
    TRY(check_mapping_names(manifest, options));
    std::vector<PlannedTablespace> planned;
    std::set<fs::path> taken;
    for (const ManifestTablespace& tablespace : manifest.tablespaces) {
        if (tablespace.location.empty()) continue;
        const fs::path wanted = new_location(tablespace, options);
        if (!wanted.is_absolute()) return bad_tablespace(wanted, "is not an absolute path");
        TRY_ASSIGN(DirectoryFacts facts, inspect_directory(wanted));
        if (is_below(facts.path, data_directory.path)) return bad_tablespace(facts.path, "is inside the data directory");
        if (is_below(data_directory.path, facts.path)) return bad_tablespace(facts.path, "contains the data directory");
        for (const fs::path& other : taken)
            if (is_below(facts.path, other) || is_below(other, facts.path)) return bad_tablespace(facts.path, "is used for two tablespaces");
        taken.insert(facts.path);
        const auto& unfinished = data_directory.interrupted_tablespaces;
        if (facts.content == DirectoryContent::kOther && std::ranges::find(unfinished, facts.path) != unfinished.end())
            facts.content = DirectoryContent::kInterrupted;
        // Only what belongs to the cluster being replaced may be moved: another one, perhaps running, may use this directory.
        const bool belongs = std::ranges::find(data_directory.tablespaces, facts.path) != data_directory.tablespaces.end();
        if (facts.content == DirectoryContent::kOther && !belongs)
            return bad_tablespace(facts.path, "is not empty and does not belong to the cluster that is replaced");
        TRY_ASSIGN(DirectoryPlan plan, decide_directory(facts, DirectoryRole::kTablespace, options.existing, time_suffix));
        planned.push_back({tablespace.oid, tablespace.location, std::move(plan)});
    }
    return planned;
}

Result<RestorePlan> plan_restore(std::span<const Repository> repositories, const RestoreOptions& options, const Clock& clock,
                                 RestoreProgress& progress, const CancelToken& cancel) {
    // What can be refused at once comes before what takes long.
    TRY(check_options(options));
    const std::string time_suffix = compact_time(clock.now());
    TRY_ASSIGN(const DirectoryFacts directory, inspect_directory(options.data_directory));
    RestorePlan plan;
    TRY_ASSIGN(plan.directory, decide_directory(directory, DirectoryRole::kData, options.existing, time_suffix));
    if (directory.content == DirectoryContent::kOther && plan.directory.action == DirectoryAction::kCompare) {
        TRY(check_same_cluster(directory, repositories.front().identity().system_identifier));
        TRY(check_lock_file(directory.path));
    }
    TRY_ASSIGN(plan.owner, decide_owner(directory, options.is_root, options.owner));

    progress.begin("reading the repository", 0, false);
    TRY_ASSIGN(const RestoreFacts facts, gather(repositories));
    plan.damaged = facts.damaged;
    TRY_ASSIGN(const std::vector<Candidate> candidates, list_candidates(facts, options.choice));
    TRY(check_version(candidates.front().backup.summary, options));
    TRY_ASSIGN(const TargetProof proof,
               prove_target(repositories, candidates, options.choice.target, options.check, options.workers, progress, cancel));
    const Candidate& chosen = candidates[proof.candidate];

    TRY_ASSIGN(plan.manifest, load_manifest(repositories, chosen.backup.summary.label, chosen.backup.repository, plan.repository));
    leave_out_startup_files(plan.manifest);
    TRY_ASSIGN(plan.tablespaces, plan_tablespaces(plan.manifest, options, directory, time_suffix));
    TRY_ASSIGN(plan.surplus, find_surplus_of(plan));
    plan.repository_url = repositories[plan.repository].url();
    plan.directory_mode = mode_of_data_directory(plan.manifest);
    plan.wal_files = wal_files_of(facts, chosen);
    plan.timeline = chosen.history.timeline();
    plan.recovery = plan_recovery(facts, chosen, options);
    TRY(plan_databases(plan, repositories, options.databases));
    plan.wal_end = chosen.reach.end;
    if (chosen.reach.tail) plan.wal_tail = to_string(*chosen.reach.tail, facts.wal.segment_size());
    plan.target_lsn = proof.lsn;
    plan.target_time = proof.time;
    plan.workers = options.workers;
    return plan;
}

std::string render_plan(const RestorePlan& plan) {
    const BackupSummary& backup = plan.manifest.summary;
    std::string text;
    const auto line = [&](std::string_view name, const std::string& value) { text += formatted("{:<16} {}\n", name.empty() ? "" : formatted("{}:", name), value); };
    line("repository", plan.repository_url);
    line("backup", formatted("{}, finished {}, PostgreSQL {}", backup.label, format_time(backup.stopped), backup.major));
    line("", formatted("{} files, {}, timeline {}, {} to {}", backup.files, pretty_size(backup.data_bytes), backup.timeline, backup.start_lsn,
                       backup.stop_lsn));
    if (backup.checksum_failures != 0) line("warning", formatted("{} pages had wrong checksums when the backup was taken", backup.checksum_failures));
    line("target", describe(plan.recovery.target));
    if (plan.target_lsn)
        line("", formatted("found at {}{}", *plan.target_lsn, plan.target_time ? ", " + format_time(*plan.target_time) : std::string()));
    line("timeline", std::to_string(plan.timeline));
    line("WAL up to", to_string(plan.wal_end));
    if (plan.wal_tail) line("", formatted("the last segment, {}, was not finished", *plan.wal_tail));
    line("data directory", plan.directory.path.native());
    line("", describe_action(plan.directory));
    for (const PlannedTablespace& tablespace : plan.tablespaces) {
        line("tablespace", formatted("{} at {}", tablespace.oid, tablespace.directory.path.native()));
        line("", describe_action(tablespace.directory));
        if (tablespace.location != tablespace.directory.path.native()) line("", formatted("instead of {}", tablespace.location));
    }
    if (const SurplusContent& surplus = plan.surplus; !surplus.paths.empty())
        line("removed first", formatted("{} files and {} directories that the backup does not have, {}", surplus.files, surplus.directories,
                                        pretty_size(surplus.bytes)));
    if (plan.surplus.unarchived_wal != 0)
        line("warning", formatted("{} WAL files among them were not archived yet", plan.surplus.unarchived_wal));
    if (plan.databases) describe_databases(*plan.databases, line);
    if (plan.owner) line("owner", formatted("user {}, group {}", plan.owner->user, plan.owner->group));
    if (plan.recovery.target.kind != TargetKind::kLatest) line("then", std::string(to_string(plan.recovery.target.action)));
    if (plan.recovery.standby) describe_standby(*plan.recovery.standby, line);
    line("restore_command", plan.recovery.restore_command);
    return text;
}

std::string render_plan_json(const RestorePlan& plan) {
    const BackupSummary& backup = plan.manifest.summary;
    Json json = {
        {"repository", plan.repository_url},
        {"backup", parse_json(render_summary(backup))},
        {"target", describe(plan.recovery.target)},
        {"timeline", plan.timeline},
        {"recovery_target_timeline", plan.recovery.timeline},
        {"wal_end", to_string(plan.wal_end)},
        {"wal_files", plan.wal_files},
        {"data_directory", directory_json(plan.directory)},
        {"restore_command", plan.recovery.restore_command},
    };
    if (plan.wal_tail) json["wal_tail"] = *plan.wal_tail;
    if (plan.target_lsn) json["target_lsn"] = to_string(*plan.target_lsn);
    if (plan.target_time) json["target_time"] = format_time(*plan.target_time);
    json["tablespaces"] = Json::array();
    for (const PlannedTablespace& tablespace : plan.tablespaces) {
        Json entry = directory_json(tablespace.directory);
        entry["oid"] = tablespace.oid;
        entry["location"] = tablespace.location;
        json["tablespaces"].push_back(std::move(entry));
    }
    if (plan.directory.action == DirectoryAction::kCompare)
        json["removed_first"] = {{"files", plan.surplus.files},
                                 {"directories", plan.surplus.directories},
                                 {"bytes", plan.surplus.bytes},
                                 {"unarchived_wal", plan.surplus.unarchived_wal}};
    if (plan.recovery.standby)
        json["standby"] = {{"primary_conninfo", plan.recovery.standby->primary_conninfo}, {"primary_slot_name", plan.recovery.standby->slot}};
    if (plan.databases) json["databases"] = databases_json(*plan.databases);
    if (plan.owner) json["owner"] = {{"user", plan.owner->user}, {"group", plan.owner->group}};
    return render_json(json, JsonStyle::kIndented);
}

}  // namespace steward
