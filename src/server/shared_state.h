// What the cluster's processes know of each other: one block of shared memory, written by workers, read by SQL.
//
// Plain data of fixed size, since the block is mapped into every process and outlives none of them: after a crash of any
// backend the postmaster makes it anew, empty, and the workers fill it again from the repository.
#pragma once

#include <string_view>

#include "core/base/error.h"
#include "core/jobs/expiry_debt.h"
#include "core/jobs/job_kind.h"
#include "core/jobs/job_record.h"
#include "core/jobs/scheduled_job.h"
#include "core/protocol/messages.h"
#include "server/compat.h"

namespace steward {

inline constexpr int kMaxRepositories = 8;
inline constexpr int kMaxCatalogEntries = 512;
inline constexpr int kStoredRing = 1024;
inline constexpr int kHistoryRing = 256;

/// Text in shared memory: always terminated, cut at a UTF-8 boundary when too long.
template <size_t size>
struct SharedText {
    char text[size];

    void assign(std::string_view from) {
        size_t n = from.size() < size ? from.size() : size - 1;
        if (n < from.size())
            while (n > 0 && (static_cast<unsigned char>(from[n]) & 0xC0) == 0x80) --n;
        from.copy(text, n);
        text[n] = '\0';
    }
    std::string_view view() const { return text; }
    bool empty() const { return text[0] == '\0'; }
};

/// A file of pg_wal: at most MAX_XFN_CHARS characters.
using WalFileName = SharedText<48>;

/// An Error that another process raises.
struct SharedError {
    int code;  ///< ErrorCode
    SharedText<6> sqlstate;
    SharedText<1024> message;
    SharedText<1024> detail;
    SharedText<1024> hint;

    void assign(const Error& error);
    Error to_error() const;
};

enum class EngineState : int { kNone, kStarting, kRunning, kWaitingToRestart };

/// One of our background workers and its engine.
struct WorkerSlot {
    pid_t pid;  ///< 0: not running
    pid_t engine_pid;
    EngineState engine_state;
    uint64 engine_starts;
    TimestampTz engine_started;
    TimestampTz last_failure;
    SharedText<1024> last_failure_message;
    Latch* latch;  ///< the worker's; in shared memory at the same address everywhere
};

struct SharedWalRepository {
    SharedText<512> url;
    SharedText<48> last_segment;
    uint64 last_lsn;
    TimestampTz last_stored;
    uint64 stored_files;
    uint64 stored_bytes;
    uint64 repository_bytes;
    uint64 failures;
    SharedText<1024> last_error;
    TimestampTz last_error_at;
    uint64 tail_lsn;
    TimestampTz tail_stored;
};

/// WAL archiving.
struct SharedWal {
    /// The worker ended because it was asked to: at shutdown the archiver goes on without it.
    bool worker_was_stopped;

    /// Files known to be in every repository, newest last: a ring.
    WalFileName stored[kStoredRing];
    uint64 stored_count;  ///< ever put into the ring

    /// Files that were given up, newest last: a ring. Apart from the stored ones, which a backup may count on.
    WalFileName given_up[kStoredRing];
    uint64 given_up_count;

    /// What the archiver waits for. `want_number` grows with each request.
    WalFileName wanted;
    uint64 want_number;

    /// The newest failure, for whoever waits for that file. `failure_number` grows with each.
    WalFileName failed;
    uint64 failure_number;
    SharedError failure;

    /// The archiver was told "not yet": it sleeps up to a minute unless it is woken when something was stored.
    bool archiver_rebuffed;

    uint64 backlog_files;
    uint64 backlog_bytes;
    double bytes_per_second;
    TimestampTz status_at;  ///< 0: no engine has reported yet
    int repository_count;
    SharedWalRepository repositories[kMaxRepositories];

    ConditionVariable changed;
};

struct SharedBackupEntry {
    SharedText<512> repository;
    SharedText<65> label;
    uint64 start_lsn;
    uint64 stop_lsn;
    uint32 timeline;
    TimestampTz started;
    TimestampTz stopped;
    uint64 data_bytes;
    uint64 repository_bytes;
    uint64 files;
    uint64 checksum_failures;
    bool from_standby;
    SharedText<64> server_version;
    SharedText<65> base;
    bool kept;

    void assign(const CatalogEntry& entry);
};

/// The backups in the repositories, as the WAL engine read them last.
struct SharedCatalog {
    TimestampTz read_at;  ///< 0: not yet
    SharedText<1024> error;
    int count;
    SharedBackupEntry entries[kMaxCatalogEntries];
};

struct SharedInterval {
    uint32 timeline;
    uint64 begin_lsn;
    uint64 end_lsn;
    TimestampTz begin;        ///< 0 for times that are not known, here and below
    TimestampTz known_until;
    SharedText<65> backup;
};

struct SharedGap {
    uint32 timeline;
    uint64 begin_lsn;
    uint64 end_lsn;
    SharedText<16> reason;
    TimestampTz recorded;
    SharedText<256> note;
    uint64 before_lsn;
    TimestampTz before;
    uint64 after_lsn;
    TimestampTz after;
    SharedText<65> after_backup;
};

struct SharedRestorePoint {
    SharedText<256> name;  ///< a name of 63 bytes may have grown when what is no UTF-8 was replaced
    SharedText<512> note;
    uint32 timeline;
    uint64 lsn;
    TimestampTz time;
    bool reachable;
};

/// Rows that are shown, newest first, and how many there are.
template <typename Row>
struct SharedRows {
    uint64 total;
    int count;  ///< at most kMaxWindowRows
    Row rows[kMaxWindowRows];
};

/// What can be recovered, as the WAL engine found it last.
struct SharedWindow {
    TimestampTz read_at;  ///< 0: not yet
    SharedText<1024> error;
    SharedRows<SharedInterval> intervals;
    SharedRows<SharedGap> gaps;
    SharedRows<SharedRestorePoint> restore_points;
    uint32 owed_timeline;  ///< 0, or: a backup is owed for WAL that was given up, up to owed_lsn
    uint64 owed_lsn;
    bool first_backup_owed;  ///< the cluster goes on for another one, and has no backup of its own
};

enum class JobState : int { kIdle, kStarting, kRunning, kSucceeded, kFailed };

/// Who asked for a run, and how it stands: what a backup and every job have in common. The slot keeps the last run until the
/// next one begins; a slot has one run at a time.
struct SharedRun {
    JobState state;
    bool ending;    ///< its end is being recorded: nobody else may end it
    uint64 number;  ///< of the history; tells a waiter whether the slot is still about its own run
    SharedText<16> job;
    JobTrigger trigger;
    WorkerSlot worker;
    bool cancel_requested;
    Oid requested_by;
    TimestampTz started;
    TimestampTz finished;
    SharedText<64> phase;
    SharedText<512> summary;
    uint64 bytes;
    SharedError error;
    ConditionVariable changed;

    bool is_active() const { return state == JobState::kStarting || state == JobState::kRunning; }
};

/// The backup that runs, or the last one that ran.
struct SharedBackup {
    SharedRun run;
    SharedText<65> label;
    bool fast_checkpoint;
    bool full_read;
    bool reuse;
    SharedText<48> waiting_for;
    uint64 bytes_total;
    uint64 bytes_done;
    uint64 files_total;
    uint64 repository_bytes;
    SharedBackupEntry result;
};

/// The run of one kind of job, or the last one.
struct SharedJob {
    SharedRun run;
    SharedText<2048> options;  ///< JSON
    uint64 done;
    uint64 total;
};

/// A row of steward.jobs.
struct SharedJobRecord {
    uint64 number;  ///< 0: none
    SharedText<16> job;
    JobTrigger trigger;
    JobResult result;
    TimestampTz started;
    TimestampTz finished;
    uint64 bytes;
    SharedText<512> summary;
    SharedText<1024> error;

    void assign(const JobRecord& record);
};

/// What a job's schedule goes by. 0: never.
struct SharedLastRun {
    TimestampTz success_started;  ///< start of the newest run that succeeded, whoever asked for it
    TimestampTz ended;            ///< end of the newest run; its start when the server ended first
};

/// The newest runs of all jobs and backups, as in the file of the history.
struct SharedHistory {
    LWLock* file_lock;   ///< held while the file is written; taken before the block's lock
    uint64 last_number;  ///< of the last run, in this life of the server or an earlier one
    uint64 lines;        ///< in the file; protected by file_lock
    SharedLastRun last[kScheduledJobCount];
    ExpiryDebt expiry_debt;
    uint64 count;        ///< ever put into the ring
    SharedJobRecord records[kHistoryRing];
};

/// What the scheduler plans for one job.
struct SharedPlan {
    SharedText<256> expression;  ///< empty: not scheduled
    SharedText<64> timezone;
    TimestampTz next_run;  ///< 0: none
    SharedText<256> reason;
};

struct SharedSchedule {
    WorkerSlot worker;
    SharedPlan plans[kScheduledJobCount];
};

struct SharedState {
    LWLock* lock;  ///< protects everything below; held for memory copies only
    WorkerSlot wal_worker;
    SharedWal wal;
    SharedBackup backup;
    SharedJob jobs[kJobKindCount];
    SharedHistory history;
    SharedSchedule schedule;
    SharedCatalog catalog;
    SharedWindow window;
};

/// The block, or nullptr when the library was not preloaded.
SharedState* shared_state();

/// The block. Errors: wrong_state with the cure when the library was not preloaded.
Result<SharedState*> require_shared_state();

/// Install the hooks that reserve and initialise the block. From _PG_init while preloading.
void install_shared_state_hooks();

/// Holds the block's lock, or another one of ours; releases it at the end of the scope. The code under it calls nothing that raises: a longjmp would
/// skip the destructor, and only the transaction's abort releases the lock then.
class SharedLock {
public:
    SharedLock(SharedState* state, LWLockMode mode) : SharedLock(state->lock, mode) {}
    SharedLock(LWLock* lock, LWLockMode mode) : lock_(lock) { LWLockAcquire(lock_, mode); }
    ~SharedLock() { LWLockRelease(lock_); }
    SharedLock(const SharedLock&) = delete;
    SharedLock& operator=(const SharedLock&) = delete;

private:
    LWLock* lock_;
};

/// Microseconds since the Unix epoch to the server's time stamp and back; 0 stays 0.
TimestampTz timestamp_of_unix_us(int64_t microseconds);
int64_t unix_us_of_timestamp(TimestampTz timestamp);

}  // namespace steward
