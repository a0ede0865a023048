// What a worker and its engine say to each other. Both ends are built from this file; the handshake makes sure of it.
//
//   engine -> worker   hello      first message: program version and protocol number
//   worker -> engine   configure  settings and facts; again after every reload
//   engine -> worker   log        a record to be written to the server's log
//   wal engine         stored, not_stored, given_up, wal_status, catalog, recovery_window
//   wal worker         want       archive this file next
//                      flushed    WAL is on the server's disk up to here
//   backup worker      backup_start, backup_finish
//   backup engine      backup_progress, backup_copied, backup_done
//   upkeep worker      upkeep_start
//   upkeep engine      upkeep_progress, upkeep_done
//   any engine         failed     the job ended with this error; the engine exits
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/settings/settings.h"

namespace steward {

/// Raised whenever a message changes its meaning.
inline constexpr int kProtocolVersion = 3;

/// The engine's greeting.
struct HelloMessage {
    static constexpr const char* kType = "hello";
    std::string version;
    int protocol = 0;
};

/// What the server knows and the engine needs.
struct ServerFacts {
    std::string data_directory;
    uint64_t system_identifier = 0;
    int major = 0;
    uint32_t wal_segment_size = 0;
    std::string server_version;  ///< for example "17.6 (Debian 17.6-1)"
};

struct ConfigureMessage {
    static constexpr const char* kType = "configure";
    ServerFacts facts;
    SettingTexts settings;
};

struct LogMessage {
    static constexpr const char* kType = "log";
    LogRecord record;
};

/// The job ended with this error.
struct FailedMessage {
    static constexpr const char* kType = "failed";
    Error error{ErrorCode::internal, ""};
};

/// Archive this file of pg_wal before others.
struct WantMessage {
    static constexpr const char* kType = "want";
    std::string name;
};

/// A primary server's WAL is on its disk up to here. Not sent by a standby, whose WAL another server stores.
struct FlushedMessage {
    static constexpr const char* kType = "flushed";
    uint32_t timeline = 0;
    uint64_t lsn = 0;
};

/// These files are durable in every repository.
struct StoredMessage {
    static constexpr const char* kType = "stored";
    std::vector<std::string> names;
};

/// Storing this file failed; it will be tried again.
struct NotStoredMessage {
    static constexpr const char* kType = "not_stored";
    std::string name;
    Error error{ErrorCode::internal, ""};
};

/// These files wait to be stored no longer: the queue was beyond steward.archive_queue_limit. The server may remove them.
struct GivenUpMessage {
    static constexpr const char* kType = "given_up";
    std::vector<std::string> names;
};

/// How archiving goes, for one repository.
struct WalRepositoryStatus {
    std::string url;
    std::string last_segment;   ///< newest file stored; empty before the first
    uint64_t last_lsn = 0;      ///< end of that segment, exclusive
    int64_t last_stored_us = 0; ///< microseconds since the epoch; 0 never
    uint64_t stored_files = 0;  ///< since the engine's start
    uint64_t stored_bytes = 0;  ///< of WAL, before compression
    uint64_t repository_bytes = 0;  ///< after compression
    uint64_t failures = 0;
    std::string last_error;
    int64_t last_error_us = 0;
    uint64_t tail_lsn = 0;        ///< end of all that is stored, with the unfinished segment; 0 not known
    int64_t tail_stored_us = 0;   ///< when that end was stored; 0 never since the engine's start
};

struct WalStatusMessage {
    static constexpr const char* kType = "wal_status";
    uint64_t backlog_files = 0;
    uint64_t backlog_bytes = 0;
    double bytes_per_second = 0;  ///< over the last minute
    std::vector<WalRepositoryStatus> repositories;
};

/// One finished backup, for steward.backups.
struct CatalogEntry {
    std::string repository;
    std::string label;
    std::string start_lsn;
    std::string stop_lsn;
    uint32_t timeline = 0;
    int64_t started_us = 0;
    int64_t stopped_us = 0;
    uint64_t data_bytes = 0;
    uint64_t repository_bytes = 0;
    uint64_t files = 0;
    uint64_t checksum_failures = 0;
    bool from_standby = false;
    std::string server_version;
    std::string base;   ///< label of the backup that it went on from; empty when everything was stored anew
    bool kept = false;  ///< pinned, whatever the retention policy says
};

/// All backups of all repositories, newest first.
struct CatalogMessage {
    static constexpr const char* kType = "catalog";
    std::vector<CatalogEntry> backups;
    std::string error;  ///< not empty when a repository could not be read; its backups are missing then
};

/// Most rows of each kind that travel and are shown: the newest.
inline constexpr size_t kMaxWindowRows = 256;

/// A row of steward.recovery_window. Times are microseconds since the epoch, 0 when they are not known; LSNs are 0 then.
struct WindowInterval {
    uint32_t timeline = 0;
    uint64_t begin_lsn = 0;
    uint64_t end_lsn = 0;
    int64_t begin_us = 0;
    int64_t known_until_us = 0;
    std::string backup;
};

/// A row of steward.wal_gaps.
struct WindowGap {
    uint32_t timeline = 0;
    uint64_t begin_lsn = 0;
    uint64_t end_lsn = 0;
    std::string reason;
    int64_t recorded_us = 0;
    std::string note;
    uint64_t before_lsn = 0;
    int64_t before_us = 0;
    uint64_t after_lsn = 0;
    int64_t after_us = 0;
    std::string after_backup;
};

/// A row of steward.restore_points.
struct WindowRestorePoint {
    std::string name;
    std::string note;
    uint32_t timeline = 0;
    uint64_t lsn = 0;
    int64_t time_us = 0;
    bool reachable = false;
};

/// What all repositories together let a restore reach; each list newest first, at most kMaxWindowRows of `..._count`.
struct RecoveryWindowMessage {
    static constexpr const char* kType = "recovery_window";
    std::vector<WindowInterval> intervals;
    uint64_t interval_count = 0;
    std::vector<WindowGap> gaps;
    uint64_t gap_count = 0;
    std::vector<WindowRestorePoint> restore_points;
    uint64_t restore_point_count = 0;
    std::string error;  ///< not empty when a repository could not be read; what it alone holds is missing then
    uint32_t owed_timeline = 0;  ///< 0, or: WAL up to owed_lsn of this timeline was given up, and no backup has been taken since
    uint64_t owed_lsn = 0;
    bool first_backup_owed = false;  ///< the cluster goes on for another one, and no repository has a backup of its own
};

/// Copy the data directory now: pg_backup_start has returned.
struct BackupStartMessage {
    static constexpr const char* kType = "backup_start";
    std::string label;
    uint64_t start_lsn = 0;
    int64_t started_us = 0;
    bool from_standby = false;
    bool reuse = true;           ///< refer to what earlier backups stored
    bool full_read = false;      ///< read every page
    bool wal_summaries = false;  ///< the server writes WAL summaries
};

/// pg_backup_stop has returned: wait for the WAL, write the manifest.
struct BackupFinishMessage {
    static constexpr const char* kType = "backup_finish";
    uint64_t stop_lsn = 0;
    std::string backup_label;
    std::string tablespace_map;
    int64_t stopped_us = 0;
};

struct BackupProgressMessage {
    static constexpr const char* kType = "backup_progress";
    std::string phase;  ///< "scanning", "copying", "waiting for WAL", "writing manifest"
    uint64_t bytes_total = 0;
    uint64_t bytes_done = 0;
    uint64_t files_total = 0;
    uint64_t repository_bytes = 0;
    std::string waiting_for;  ///< WAL segment, in phase "waiting for WAL"
};

struct BackupCopiedMessage {
    static constexpr const char* kType = "backup_copied";
};

struct BackupDoneMessage {
    static constexpr const char* kType = "backup_done";
    std::vector<CatalogEntry> entries;  ///< one for each repository
};

/// Run this job.
struct UpkeepStartMessage {
    static constexpr const char* kType = "upkeep_start";
    std::string job;
    std::string options;  ///< JSON text: one object
};

struct UpkeepProgressMessage {
    static constexpr const char* kType = "upkeep_progress";
    std::string phase;
    uint64_t done = 0;
    uint64_t total = 0;  ///< 0: not known
};

/// The job has ended and did what it was asked to.
struct UpkeepDoneMessage {
    static constexpr const char* kType = "upkeep_done";
    std::string report;   ///< JSON text: one object
    std::string summary;  ///< one clause, for steward.jobs
    uint64_t bytes = 0;   ///< read, written or removed
};

/// Render a message as the text of a frame.
template <typename Message>
std::string render_message(const Message& message);

/// The "type" of a parsed frame; empty when it has none.
std::string message_type(const Json& json);

/// Parse a frame's text. Errors: engine_failed.
Result<Json> parse_frame_text(const std::string& text);

/// Read a message of type Message out of `json`. Errors: engine_failed naming what is missing.
template <typename Message>
Result<Message> read_message(const Json& json);

}  // namespace steward
