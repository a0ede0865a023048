// One base backup from beginning to end: scan, plan, copy, wait for the WAL, commit by the manifest.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/backup/copy.h"
#include "core/backup/manifest.h"
#include "core/backup/scan.h"
#include "core/backup/wal_wait.h"
#include "core/base/cancel.h"
#include "core/base/clock.h"
#include "core/base/file.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/codec/compression.h"
#include "core/repository/backup_summary.h"
#include "core/repository/repository.h"
#include "core/storage/retry_storage.h"

namespace steward {

struct BaseBackupOptions {
    std::filesystem::path data_directory;
    std::string label;
    Lsn start_lsn;  ///< what pg_backup_start returned
    TimePoint started;
    bool from_standby = false;
    std::string server_version;
    int workers = 1;
    Compression compression;
    Pace pace = Pace::full();
    std::string pack_set;  ///< a name that no other run has: unique_name
    bool reuse = true;           ///< refer to what earlier backups stored
    bool full_read = false;      ///< read every page even where WAL summaries tell that it is unchanged
    bool wal_summaries = false;  ///< the server writes them
    std::chrono::seconds full_read_interval{0};  ///< how long after the last backup that read everything summaries are trusted
    uint64_t rate_limit = 0;  ///< bytes of the data directory read a second; 0: as fast as can be
    ReadAt read = read_at;
    std::function<Result<void>()> check_lease = {};  ///< called before the manifests are written; empty when nobody else can remove anything
};

/// What pg_backup_stop returned.
struct BackupEnd {
    Lsn stop_lsn;
    std::string backup_label;
    std::string tablespace_map;
    TimePoint stopped;
};

enum class BackupPhase { kScanning, kCopying, kWaitingForWal, kWritingManifest };

/// "scanning", "copying", "waiting for WAL", "writing manifest".
std::string_view to_string(BackupPhase phase);

struct BackupProgress {
    BackupPhase phase = BackupPhase::kScanning;
    uint64_t bytes_total = 0;
    uint64_t bytes_done = 0;
    uint64_t files_total = 0;
    uint64_t repository_bytes = 0;
    std::string waiting_for;  ///< a WAL file, in phase kWaitingForWal
};

/// Call copy() between pg_backup_start and pg_backup_stop, then commit(); after an error of either, discard(). These three are for
/// one thread, progress() for any. Borrows repositories, log and timer.
class BaseBackup {
public:
    /// `repositories` is not empty.
    BaseBackup(BaseBackupOptions options, std::span<const Repository> repositories, RetryTimer& timer, Log& log)
        : options_(std::move(options)), repositories_(repositories), timer_(timer), log_(log), rate_limit_(options_.rate_limit, timer) {}

    /// Copy everything, global/pg_control last; durable in every repository on return. Errors: already_exists when the label is
    /// taken; foreign_repository when the data directory is another cluster's; those of scan_data_directory and copy_files.
    Result<void> copy(const CancelToken& cancel);

    /// Wait for the WAL and write the manifests. On return the backup exists in every repository; after an error it may exist in some
    /// of them, whole. Errors: already_exists when the label was taken meanwhile; corrupt_object when `end` makes no sense; those of
    /// name_backup_wal and wait_for_wal; as Storage::put.
    Result<BackupSummary> commit(const BackupEnd& end, const CancelToken& cancel);

    /// Remove what a failed backup stored, unless a manifest refers to it. Best effort.
    void discard();

    BackupProgress progress() const;

private:
    Result<void> check_label_is_free() const;
    Result<void> copy_tree(const ControlFile& control, const CancelToken& cancel);
    Result<std::vector<FileTreatment>> plan_treatments(const ControlFile& control, std::span<const ScannedFile> files, const CancelToken& cancel);
    Result<std::optional<ChangedBlocks>> find_changes(const ControlFile& control, const CancelToken& cancel);
    void summarize(const ControlFile& control, int major, size_t bad_pages);
    Result<void> copy_control_file(const ControlFile& control);
    Result<void> await_wal(const BackupWal& wal, const CancelToken& cancel);
    Result<void> write_manifests(const CancelToken& cancel);
    void report_bad_pages(const std::vector<BadPage>& pages);
    void enter(BackupPhase phase);

    const BaseBackupOptions options_;
    const std::span<const Repository> repositories_;
    RetryTimer& timer_;
    Log& log_;
    std::optional<IncrementBase> base_;
    TimelineId summarized_timeline_ = 0;  ///< of the WAL summaries that were trusted; 0: none were
    Manifest manifest_;
    ScannedFile control_file_;
    unsigned pack_numbers_ = 0;  ///< packs are numbered below this
    bool committed_ = false;     ///< a manifest may have been written
    CopyCounters counters_;
    RateLimit rate_limit_;
    mutable std::mutex mutex_;
    BackupProgress progress_;  ///< guarded by mutex_; without what counters_ hold
};

}  // namespace steward
