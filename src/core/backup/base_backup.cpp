#include "core/backup/base_backup.h"

#include <algorithm>
#include <utility>

#include "core/backup/copy.h"
#include "core/backup/increment_base.h"
#include "core/backup/pack_store.h"
#include "core/backup/plan.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/backup_label.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/page.h"
#include "core/postgres/pg_version.h"
#include "core/postgres/relation_file.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

/// Damaged pages named in the log one by one; the total follows.
constexpr size_t kReportedPages = 10;
constexpr auto kHintAfter = 60s;
/// How often it is looked whether the WAL that is waited for can still come.
constexpr auto kHopeCheckInterval = 5s;
/// How long to wait for the server's last WAL summaries before every page is read instead.
constexpr auto kSummaryPatience = 30s;
constexpr uint64_t kLargestControlFile = 64 * 1024;
constexpr int kControlFileAttempts = 10;

/// The control file's bytes, consistent: the server rewrites it in place while we read.
Result<Bytes> read_control_file_content(const std::filesystem::path& path, int major) {
    for (int attempt = 1;; ++attempt) {
        TRY_ASSIGN(Bytes content, read_file(path, kLargestControlFile));
        const Result<ControlFile> parsed = parse_control_file(content, major);
        if (parsed.ok()) return content;
        if (parsed.error().code() != ErrorCode::corrupt_object || attempt == kControlFileAttempts) return parsed.error();
    }
}

Error label_taken(const std::string& label, const Repository& repository) {
    return Error(ErrorCode::already_exists, formatted("backup \"{}\" exists already in repository \"{}\"", label, repository.url()))
        .hint("Choose another label.")
        .object(label);
}

}  // namespace

std::string_view to_string(BackupPhase phase) {
    switch (phase) {
        case BackupPhase::kScanning: return "scanning";
        case BackupPhase::kCopying: return "copying";
        case BackupPhase::kWaitingForWal: return "waiting for WAL";
        case BackupPhase::kWritingManifest: return "writing manifest";
    }
    return "unknown";
}

Result<void> BaseBackup::copy(const CancelToken& cancel) {
    enter(BackupPhase::kScanning);
    TRY(check_label(options_.label));
    TRY(check_label_is_free());
    TRY_ASSIGN(const ControlFile control, read_control_file(options_.data_directory));
    const uint64_t ours = repositories_.front().identity().system_identifier;
    if (control.system_identifier != ours)
        return Error(ErrorCode::foreign_repository, formatted("data directory \"{}\" is of another database cluster", options_.data_directory.native()))
            .detail(formatted("Its system identifier is {}, the repository's is {}.", control.system_identifier, ours));
    TRY(copy_tree(control, cancel));
    // Last: on a standby it says up to where the copied pages may be ahead of the start (min_recovery_point).
    TRY(copy_control_file(control));
    std::ranges::sort(manifest_.files, {}, &ManifestFile::path);
    BackupSummary& summary = manifest_.summary;
    summary.files = manifest_.files.size();
    for (const ManifestFile& file : manifest_.files) summary.data_bytes += file.size;
    summary.repository_bytes = counters_.repository_bytes;
    return {};
}

Result<void> BaseBackup::check_label_is_free() const {
    for (const Repository& repository : repositories_) {
        TRY_ASSIGN(const std::optional<ObjectInfo> manifest, repository.storage().stat(repository.layout().manifest(options_.label)));
        if (manifest) return label_taken(options_.label, repository);
    }
    return {};
}

Result<void> BaseBackup::copy_tree(const ControlFile& control, const CancelToken& cancel) {
    TRY_ASSIGN(const int major, read_pg_version(options_.data_directory));
    TRY_ASSIGN(ScannedTree tree, scan_data_directory(options_.data_directory, tablespace_version_directory(major, control.catalog_version), log_, cancel));
    TRY_ASSIGN(const std::vector<FileTreatment> treatments, plan_treatments(control, tree.files, cancel));
    const CopyPlan plan = plan_copy(tree.files, treatments, options_.workers);
    {
        const std::lock_guard lock(mutex_);
        progress_.phase = BackupPhase::kCopying;
        progress_.bytes_total = tree.bytes();
        progress_.files_total = tree.files.size() + 1;
    }
    // The control file gets a pack of its own.
    pack_numbers_ = copy_pack_limit(plan, options_.workers) + 1;
    const CopyOptions copy_options{.data_directory = options_.data_directory,
                                   .control = control,
                                   .start_lsn = options_.start_lsn,
                                   .workers = options_.workers,
                                   .compression = options_.compression,
                                   .pace = options_.pace,
                                   .pack_set = options_.pack_set,
                                   .rate_limit = &rate_limit_,
                                   .read = options_.read};
    const CopySource source{tree.files, treatments, base_ ? &*base_ : nullptr};
    TRY_ASSIGN(CopiedFiles copied, copy_files(copy_options, source, plan, repositories_, counters_, log_, cancel));
    report_bad_pages(copied.bad_pages);
    control_file_ = std::move(tree.control_file);
    manifest_.packs = std::move(copied.packs);
    manifest_.files = std::move(copied.files);
    manifest_.directories = std::move(tree.directories);
    manifest_.tablespaces = std::move(tree.tablespaces);
    summarize(control, major, copied.bad_pages.size());
    return {};
}

/// Decide what need not be read, and what need not be stored again.
Result<std::vector<FileTreatment>> BaseBackup::plan_treatments(const ControlFile& control, std::span<const ScannedFile> files, const CancelToken& cancel) {
    if (!options_.reuse || control.page_size != kPageSize) return std::vector<FileTreatment>();
    TRY_ASSIGN(base_, find_increment_base(repositories_, log_, cancel));
    if (!base_) return std::vector<FileTreatment>();
    TRY_ASSIGN(std::optional<ChangedBlocks> changes, find_changes(control, cancel));
    if (changes) summarized_timeline_ = control.checkpoint.timeline;
    log_.debug("increment_planned", formatted("backup \"{}\" goes on from backup \"{}\", {}", options_.label, base_->manifest.summary.label,
                                              changes ? "by WAL summaries" : "comparing every page"));
    return plan_increment(files, *base_, changes ? &*changes : nullptr, control.pages_per_relation_segment);
}

Result<std::optional<ChangedBlocks>> BaseBackup::find_changes(const ControlFile& control, const CancelToken& cancel) {
    const BackupSummary& base = base_->manifest.summary;
    const SummaryTrust trust{control.checkpoint.timeline, options_.start_lsn, options_.started, control.has_data_checksums(),
                             options_.full_read_interval};
    if (!options_.wal_summaries || options_.full_read || !may_trust_summaries(base, trust)) return std::optional<ChangedBlocks>();
    return read_changed_blocks(options_.data_directory, trust.timeline, base.start_lsn, trust.start_lsn, kSummaryPatience, timer_, log_, cancel);
}

void BaseBackup::summarize(const ControlFile& control, int major, size_t bad_pages) {
    BackupSummary& summary = manifest_.summary;
    summary.label = options_.label;
    summary.system_identifier = control.system_identifier;
    summary.major = major;
    summary.server_version = options_.server_version;
    summary.steward_version = STEWARD_VERSION;
    summary.wal_segment_size = control.wal_segment_size;
    summary.started = options_.started;
    summary.from_standby = options_.from_standby;
    summary.data_checksums = control.has_data_checksums();
    summary.checksum_failures = bad_pages;
    summary.read_bytes = counters_.bytes_read;
    if (base_) summary.base = base_->manifest.summary.label;
    summary.last_full_read = summarized_timeline_ != 0 ? base_->manifest.summary.last_full_read : options_.started;
}

Result<void> BaseBackup::copy_control_file(const ControlFile& control) {
    TRY_ASSIGN(const Bytes content, read_control_file_content(options_.data_directory / control_file_.path, manifest_.summary.major));
    const BuiltObject pack = build_object(ObjectKind::kPack, control.system_identifier, content, options_.compression);
    const unsigned number = pack_numbers_ - 1;
    for (const Repository& repository : repositories_)
        TRY(repository.store(repository.layout().pack(options_.pack_set, number), pack, ObjectKind::kPack));
    const auto index = static_cast<uint32_t>(manifest_.packs.size());
    manifest_.packs.push_back({.set = options_.pack_set, .number = number, .length = content.size(), .stored = pack.size()});
    manifest_.files.push_back({.path = control_file_.path,
                               .size = content.size(),
                               .mode = control_file_.mode,
                               .modified = control_file_.modified,
                               .crc32c = crc32c(content),
                               .digest = {},
                               .runs = {{0, content.size(), index, 0}}});
    counters_.bytes_done += content.size();
    counters_.repository_bytes += pack.size();
    return {};
}

void BaseBackup::report_bad_pages(const std::vector<BadPage>& pages) {
    for (size_t i = 0; i < std::min(pages.size(), kReportedPages); ++i) {
        const BadPage& page = pages[i];
        log_.write({LogLevel::kWarning, "bad_page", formatted("checksum of block {} in file \"{}\" is wrong", page.block_number, page.path),
                    {{"path", page.path}, {"block", std::to_string(page.block_number)}},
                    formatted("The page's content has checksum {}, stored in it is {}.", page.expected, page.found),
                    {},
                    {}});
    }
    if (pages.empty()) return;
    log_.write({LogLevel::kWarning, "bad_pages", formatted("{} pages with wrong checksums were backed up as they are", pages.size()),
                {{"pages", std::to_string(pages.size())}},
                {},
                "The database is damaged: check the disk, and restore the relations from an older backup.",
                {}});
}

Result<BackupSummary> BaseBackup::commit(const BackupEnd& end, const CancelToken& cancel) {
    TRY_ASSIGN(const BackupLabel label, parse_backup_label(end.backup_label));
    TRY_ASSIGN(const ControlFile control, read_control_file(options_.data_directory));
    TRY_ASSIGN(const BackupWal wal,
               name_backup_wal(options_.data_directory, control, options_.from_standby, label.start_timeline, label.start_lsn, end.stop_lsn));
    manifest_.backup_label = end.backup_label;
    manifest_.tablespace_map = end.tablespace_map;
    BackupSummary& summary = manifest_.summary;
    summary.timeline = label.start_timeline;
    summary.stop_timeline = wal.stop_timeline;
    summary.start_lsn = label.start_lsn;
    summary.stop_lsn = end.stop_lsn;
    summary.stopped = end.stopped;
    if (summarized_timeline_ != 0 && summarized_timeline_ != label.start_timeline)
        return Error(ErrorCode::wrong_state, "the timeline changed while the backup began").hint("Take another backup.");
    TRY(await_wal(wal, cancel));
    // The lease keeps others from removing the packs that this backup goes on from; if someone did, it must not claim to exist.
    if (options_.check_lease) TRY(options_.check_lease());
    TRY(check_packs_are_there(repositories_, manifest_.packs));
    TRY(write_manifests(cancel));
    return summary;
}

Result<void> BaseBackup::await_wal(const BackupWal& wal, const CancelToken& cancel) {
    enter(BackupPhase::kWaitingForWal);
    std::string hinted;
    auto next_check = std::chrono::milliseconds(kHopeCheckInterval);
    const WalWaitCallbacks callbacks{
        .waiting_for =
            [&](const std::string& name) {
                next_check = kHopeCheckInterval;
                const std::lock_guard lock(mutex_);
                progress_.waiting_for = name;
            },
        .still_waiting = [&](const std::string& name, std::chrono::milliseconds waited) -> Result<void> {
            if (waited >= kHintAfter && hinted != name) {
                hinted = name;
                log_.write({LogLevel::kLog, "waiting_for_wal", formatted("backup \"{}\" still waits for WAL file \"{}\"", options_.label, name),
                            {{"name", name}},
                            {},
                            options_.from_standby ? "Run pg_switch_wal() on the primary if it is idle; steward.wal_archive tells how archiving goes."
                                                  : "steward.wal_archive tells how archiving goes.",
                            {}});
            }
            if (waited < next_check) return {};
            next_check = waited + kHopeCheckInterval;
            TRY(check_not_given_up(repositories_, name));
            if (!options_.from_standby) return {};
            TRY_ASSIGN(const ControlFile control, read_control_file(options_.data_directory));
            return check_not_promoted(control, options_.from_standby);
        }};
    return wait_for_wal(wal.names, repositories_, timer_, callbacks, cancel);
}

Result<void> BaseBackup::write_manifests(const CancelToken& cancel) {
    TRY(check_cancel(cancel));
    enter(BackupPhase::kWritingManifest);
    const BuiltObject object =
        build_object(ObjectKind::kManifest, manifest_.summary.system_identifier, as_bytes(render_manifest(manifest_)), options_.compression);
    const std::string& label = options_.label;
    for (const Repository& repository : repositories_) {
        // From here on a lost answer may mean that it is there: the packs must stay.
        const bool first = !std::exchange(committed_, true);
        const Result<StoreOutcome> stored = repository.store(repository.layout().manifest(label), object, ObjectKind::kManifest);
        if (stored.ok()) continue;
        if (stored.error().code() != ErrorCode::content_conflict) return stored.error();
        // Another backup's, for sure; nothing refers to the packs if no repository has ours.
        if (first) committed_ = false;
        return label_taken(label, repository);
    }
    return {};
}

void BaseBackup::discard() {
    if (!committed_) remove_packs(repositories_, options_.pack_set, pack_numbers_);
}

void BaseBackup::enter(BackupPhase phase) {
    const std::lock_guard lock(mutex_);
    progress_.phase = phase;
    progress_.waiting_for.clear();
}

BackupProgress BaseBackup::progress() const {
    const std::lock_guard lock(mutex_);
    BackupProgress now = progress_;
    // Files that grew since the scan are copied with what they gained.
    now.bytes_done = std::min<uint64_t>(counters_.bytes_done, now.bytes_total);
    now.repository_bytes = counters_.repository_bytes;
    return now;
}

}  // namespace steward
