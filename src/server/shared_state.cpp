#include "server/shared_state.h"

#include <new>

#include "core/postgres/lsn.h"
#include "server/boundary.h"
#include "server/history.h"

namespace steward {

namespace {

SharedState* state = nullptr;
shmem_request_hook_type previous_request_hook = nullptr;
shmem_startup_hook_type previous_startup_hook = nullptr;

constexpr const char* kName = "pg_steward";

void request() {
    if (previous_request_hook != nullptr) previous_request_hook();
    RequestAddinShmemSpace(MAXALIGN(sizeof(SharedState)));
    RequestNamedLWLockTranche(kName, 2);
}

void startup() {
    if (previous_startup_hook != nullptr) previous_startup_hook();
    bool found = false;
    LWLockAcquire(AddinShmemInitLock, LW_EXCLUSIVE);
    state = static_cast<SharedState*>(ShmemInitStruct(kName, sizeof(SharedState), &found));
    if (!found) {
        std::memset(static_cast<void*>(state), 0, sizeof *state);
        LWLockPadded* const locks = GetNamedLWLockTranche(kName);
        state->lock = &locks[0].lock;
        state->history.file_lock = &locks[1].lock;
        ConditionVariableInit(&state->wal.changed);
        ConditionVariableInit(&state->backup.run.changed);
        for (SharedJob& job : state->jobs) ConditionVariableInit(&job.run.changed);
    }
    LWLockRelease(AddinShmemInitLock);
    if (!found) load_history();
}

}  // namespace

void SharedError::assign(const Error& error) {
    code = static_cast<int>(error.code());
    sqlstate.assign(error.sqlstate());
    message.assign(error.message());
    std::string more = error.detail();
    for (const std::string& line : error.context()) more += (more.empty() ? "" : "\n") + line;
    detail.assign(more);
    hint.assign(error.hint());
}

Error SharedError::to_error() const {
    return Error(static_cast<ErrorCode>(code), std::string(message.view()))
        .sqlstate(std::string(sqlstate.view()))
        .detail(std::string(detail.view()))
        .hint(std::string(hint.view()));
}

void SharedBackupEntry::assign(const CatalogEntry& entry) {
    const auto lsn = [](const std::string& text) {
        const Result<Lsn> parsed = parse_lsn(text);
        return parsed.ok() ? parsed->value : 0;
    };
    repository.assign(entry.repository);
    label.assign(entry.label);
    start_lsn = lsn(entry.start_lsn);
    stop_lsn = lsn(entry.stop_lsn);
    timeline = entry.timeline;
    started = timestamp_of_unix_us(entry.started_us);
    stopped = timestamp_of_unix_us(entry.stopped_us);
    data_bytes = entry.data_bytes;
    repository_bytes = entry.repository_bytes;
    files = entry.files;
    checksum_failures = entry.checksum_failures;
    from_standby = entry.from_standby;
    server_version.assign(entry.server_version);
    base.assign(entry.base);
    kept = entry.kept;
}

void SharedJobRecord::assign(const JobRecord& record) {
    const auto timestamp = [](TimePoint time) { return timestamp_of_unix_us(time.time_since_epoch().count()); };
    number = record.number;
    job.assign(record.job);
    trigger = record.trigger;
    result = record.result;
    started = timestamp(record.started);
    finished = record.finished ? timestamp(*record.finished) : 0;
    bytes = record.bytes;
    summary.assign(record.summary);
    error.assign(record.error);
}

SharedState* shared_state() { return state; }

Result<SharedState*> require_shared_state() {
    if (state != nullptr) return state;
    return Error(ErrorCode::wrong_state, "pg_steward is not loaded at server start")
        .hint("Add pg_steward to \"shared_preload_libraries\" in postgresql.conf and restart the server.");
}

void install_shared_state_hooks() {
    previous_request_hook = shmem_request_hook;
    shmem_request_hook = request;
    previous_startup_hook = shmem_startup_hook;
    shmem_startup_hook = startup;
}

// PostgreSQL counts from 2000-01-01, POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE days after Unix.
static constexpr int64_t kEpochDistanceUs = (POSTGRES_EPOCH_JDATE - UNIX_EPOCH_JDATE) * USECS_PER_DAY;

TimestampTz timestamp_of_unix_us(int64_t microseconds) { return microseconds == 0 ? 0 : microseconds - kEpochDistanceUs; }
int64_t unix_us_of_timestamp(TimestampTz timestamp) { return timestamp == 0 ? 0 : timestamp + kEpochDistanceUs; }

}  // namespace steward
