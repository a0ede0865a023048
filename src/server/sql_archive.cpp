// SQL functions about WAL archiving: steward.wal_archive, steward.workers, steward.archive_now().

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "core/archive/ready_files.h"
#include "core/base/format.h"
#include "server/boundary.h"
#include "server/result_rows.h"
#include "server/settings.h"
#include "server/wal_state.h"

namespace steward {

namespace {

std::string_view name_of(EngineState state) {
    switch (state) {
        case EngineState::kNone: return "none";
        case EngineState::kStarting: return "starting";
        case EngineState::kRunning: return "running";
        case EngineState::kWaitingToRestart: return "waiting to restart";
    }
    return "";
}

Result<void> wal_archive_rows(FunctionCallInfo call) {
    TRY_ASSIGN(SharedState * state, require_shared_state());
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call));
    // A copy, so that the lock is not held while rows are made: that may raise.
    auto wal = std::make_unique_for_overwrite<SharedWal>();
    {
        const SharedLock lock(state, LW_SHARED);
        std::memcpy(static_cast<void*>(wal.get()), &state->wal, sizeof state->wal);
    }
    for (int i = 0; i < wal->repository_count; ++i) {
        const SharedWalRepository& repository = wal->repositories[i];
        rows.text(repository.url.view())
            .text(repository.last_segment.view())
            .lsn(repository.last_lsn)
            .time(repository.last_stored)
            .lsn(repository.tail_lsn)
            .time(repository.tail_stored)
            .number(static_cast<int64>(repository.stored_files))
            .number(static_cast<int64>(repository.stored_bytes))
            .number(static_cast<int64>(repository.repository_bytes))
            .number(static_cast<int64>(wal->backlog_files))
            .number(static_cast<int64>(wal->backlog_bytes))
            .real(wal->bytes_per_second)
            .number(static_cast<int64>(repository.failures))
            .text(repository.last_error.view())
            .time(repository.last_error_at)
            .time(wal->status_at);
        TRY(rows.end_row());
    }
    return {};
}

Result<void> add_worker_row(ResultRows& rows, std::string_view name, const WorkerSlot& slot) {
    rows.text(name);
    slot.pid != 0 ? rows.integer(slot.pid) : rows.null();
    slot.engine_pid != 0 ? rows.integer(slot.engine_pid) : rows.null();
    rows.text(name_of(slot.engine_state))
        .number(static_cast<int64>(slot.engine_starts))
        .time(slot.engine_started)
        .text(slot.last_failure_message.view())
        .time(slot.last_failure);
    return rows.end_row();
}

Result<void> worker_rows(FunctionCallInfo call) {
    TRY_ASSIGN(SharedState * state, require_shared_state());
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call));
    WorkerSlot wal, backup, jobs[kJobKindCount];
    {
        const SharedLock lock(state, LW_SHARED);
        wal = state->wal_worker;
        backup = state->backup.run.worker;
        for (size_t i = 0; i < kJobKindCount; ++i) jobs[i] = state->jobs[i].run.worker;
    }
    TRY(add_worker_row(rows, "wal", wal));
    if (backup.pid != 0) TRY(add_worker_row(rows, "backup", backup));
    for (size_t i = 0; i < kJobKindCount; ++i)
        if (jobs[i].pid != 0) TRY(add_worker_row(rows, kJobNames[i], jobs[i]));
    return {};
}

Result<void> check_can_archive() {
    TRY(require_shared_state());
    if (RecoveryInProgress())
        return Error(ErrorCode::wrong_state, "recovery is in progress").hint("Run this on the primary server: a standby writes no WAL of its own.");
    if (!repository_is_set())
        return Error(ErrorCode::wrong_state, "no repository is set").hint("Set \"steward.repository\" in postgresql.conf and reload.");
    if (!XLogArchivingActive() || std::string_view(XLogArchiveLibrary) != "pg_steward")
        return Error(ErrorCode::wrong_state, "WAL is not archived by pg_steward")
            .hint("Set archive_mode = on and archive_library = 'pg_steward' in postgresql.conf and restart the server.");
    return {};
}

/// The newest segment that holds WAL after a switch: complete, or complete and archived long ago.
Result<std::string> switch_segment() {
    TRY_ASSIGN(const XLogRecPtr end, call_server([] { return RequestXLogSwitch(false); }));
    XLogSegNo segment = 0;
    XLByteToPrevSeg(end, segment, wal_segment_size);
    char name[MAXFNAMELEN];
    XLogFileName(name, GetWALInsertionTimeLine(), segment, wal_segment_size);
    return std::string(name);
}

Result<bool> is_archived(const std::string& segment) {
    if (is_known_as_stored(segment)) return true;
    if (is_known_as_given_up(segment))
        return Error(ErrorCode::missing_wal, formatted("WAL segment \"{}\" was given up", segment))
            .detail("More WAL waited to be archived than \"steward.archive_queue_limit\" allows.")
            .hint("See steward.wal_archive for the state of each repository.");
    const char* name = segment.c_str();
    // The status file goes from .ready to .done only after the module said that the segment is stored.
    TRY_ASSIGN(const bool busy, call_server([name] { return XLogArchiveIsBusy(name); }));
    return !busy;
}

/// What has to be stored still, so that recovery gets to the end of `segment`; empty when nothing has. Several are stored at a time, and what is asked for
/// comes first: those before it may be later. Those that were given up are recorded as a gap, for which nobody waits.
Result<std::string> first_missing(const std::string& segment) {
    TRY_ASSIGN(const bool archived, is_archived(segment));
    if (!archived) return segment;
    TRY_ASSIGN(const std::vector<std::string> waiting, list_ready_files(XLOGDIR "/archive_status"));
    const auto missing = std::ranges::find_if(waiting, [&](const std::string& name) { return name < segment && !is_known_as_stored(name) && !is_known_as_given_up(name); });
    return missing == waiting.end() ? std::string() : *missing;
}

Result<Datum> archive_now(int64 timeout_ms) {
    TRY(check_can_archive());
    TRY_ASSIGN(const std::string segment, switch_segment());
    const TimestampTz deadline = TimestampTzPlusMilliseconds(GetCurrentTimestamp(), timeout_ms);
    const uint64 failures = ask_for(segment);
    ConditionVariable* changed = &shared_state()->wal.changed;
    for (;;) {
        TRY_ASSIGN(const std::string missing, first_missing(segment));
        if (missing.empty()) break;
        const long rest = TimestampDifferenceMilliseconds(GetCurrentTimestamp(), deadline);
        if (rest <= 0) {
            Error error(ErrorCode::timed_out, formatted("WAL segment \"{}\" was not stored within {} ms", missing, timeout_ms));
            if (const std::optional<Error> failure = failure_since(missing, failures)) error = std::move(error).detail(failure->message() + ".");
            return std::move(error).hint("See steward.wal_archive for the state of each repository. Archiving goes on in the background.");
        }
        // Woken by every stored segment; the poll besides it is for a segment that the archiver finishes without us.
        TRY(call_server([=] { ConditionVariableTimedSleep(changed, std::min(rest, 500L), compat::wait_event()); }));
    }
    TRY(call_server([] { ConditionVariableCancelSleep(); }));
    const char* name = segment.c_str();
    return call_server([name] { return CStringGetTextDatum(name); });
}

}  // namespace

}  // namespace steward

extern "C" {

PG_FUNCTION_INFO_V1(steward_wal_archive);
PGDLLEXPORT Datum steward_wal_archive(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::wal_archive_rows(fcinfo); });
    return (Datum)0;
}

PG_FUNCTION_INFO_V1(steward_workers);
PGDLLEXPORT Datum steward_workers(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::worker_rows(fcinfo); });
    return (Datum)0;
}

PG_FUNCTION_INFO_V1(steward_archive_now);
PGDLLEXPORT Datum steward_archive_now(PG_FUNCTION_ARGS) {
    const Interval* timeout = PG_GETARG_INTERVAL_P(0);
    const int64 days = timeout->day + int64{timeout->month} * DAYS_PER_MONTH;
    const int64 timeout_ms = timeout->time / 1000 + days * (USECS_PER_DAY / 1000);
    return steward::enter([=] { return steward::archive_now(timeout_ms); });
}
}
