// SQL functions about backups: steward.backup(), steward.backup_progress, steward.backups.

#include <memory>
#include <optional>

#include "core/repository/layout.h"
#include "server/backup_job.h"
#include "server/boundary.h"
#include "server/result_rows.h"
#include "server/settings.h"
#include "server/worker_entry.h"

namespace steward {

namespace {

/// What steward.backup() returns and steward.backups shows.
void add_backup(ResultRows& rows, const SharedBackupEntry& entry) {
    rows.text(entry.label.view())
        .lsn(entry.start_lsn)
        .lsn(entry.stop_lsn)
        .integer(static_cast<int32>(entry.timeline))
        .time(entry.started)
        .time(entry.stopped)
        .number(static_cast<int64>(entry.data_bytes))
        .number(static_cast<int64>(entry.repository_bytes))
        .number(static_cast<int64>(entry.files))
        .number(static_cast<int64>(entry.checksum_failures))
        .boolean(entry.from_standby)
        .text(entry.server_version.view())
        .text(entry.repository.view())
        .text(entry.base.view());
}

Result<void> add_started_row(ResultRows& rows, std::string_view label) {
    rows.text(label);
    for (int i = 0; i < 13; ++i) rows.null();
    return rows.end_row();
}

Result<void> backup(FunctionCallInfo call, std::optional<std::string> label, bool wait, BackupRequest request) {
    TRY(check_can_back_up());
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call));
    if (!label) label = label_for_backup();
    TRY(check_label(*label));
    request.label = *label;
    TRY_ASSIGN(const uint64 number, reserve_backup(request));
    const Result<BackgroundWorkerHandle*> handle = start_backup_worker();
    if (!handle.ok()) {
        TRY(fail_run(number, handle.error()));
        return handle.error();
    }
    if (!wait) {
        TRY(wait_for_start(number, *handle));
        return add_started_row(rows, *label);
    }
    TRY(wait_for_run(number, *handle));

    SharedBackupEntry entry;
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        const SharedBackup& backup = shared_state()->backup;
        if (std::optional<Error> failure = failure_of(backup.run, number)) return std::move(*failure);
        entry = backup.result;
    }
    add_backup(rows, entry);
    return rows.end_row();
}

std::string_view name_of(JobState state) {
    switch (state) {
        case JobState::kIdle: return "";
        case JobState::kStarting: return "starting";
        case JobState::kRunning: return "running";
        case JobState::kSucceeded: return "succeeded";
        case JobState::kFailed: return "failed";
    }
    return "";
}

Result<void> progress_rows(FunctionCallInfo call) {
    TRY_ASSIGN(SharedState * state, require_shared_state());
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call));
    auto backup = std::make_unique_for_overwrite<SharedBackup>();
    {
        const SharedLock lock(state, LW_SHARED);
        std::memcpy(static_cast<void*>(backup.get()), &state->backup, sizeof state->backup);
    }
    const SharedRun& run = backup->run;
    if (run.state == JobState::kIdle) return {};
    rows.text(backup->label.view()).text(name_of(run.state)).text(run.phase.view());
    run.worker.pid != 0 ? rows.integer(run.worker.pid) : rows.null();
    rows.time(run.started)
        .time(run.finished)
        .number(static_cast<int64>(backup->bytes_total))
        .number(static_cast<int64>(backup->bytes_done))
        .number(static_cast<int64>(backup->files_total))
        .number(static_cast<int64>(backup->repository_bytes))
        .text(run.is_active() ? backup->waiting_for.view() : std::string_view())
        .text(run.state == JobState::kFailed ? run.error.message.view() : std::string_view());
    return rows.end_row();
}

Result<void> backup_rows(FunctionCallInfo call) {
    TRY_ASSIGN(SharedState * state, require_shared_state());
    TRY_ASSIGN(ResultRows rows, ResultRows::begin(call));
    auto catalog = std::make_unique_for_overwrite<SharedCatalog>();
    {
        const SharedLock lock(state, LW_SHARED);
        std::memcpy(static_cast<void*>(catalog.get()), &state->catalog, sizeof state->catalog);
    }
    for (int i = 0; i < catalog->count; ++i) {
        add_backup(rows, catalog->entries[i]);
        rows.boolean(catalog->entries[i].kept);
        TRY(rows.end_row());
    }
    return {};
}

}  // namespace

}  // namespace steward

extern "C" {

PG_FUNCTION_INFO_V1(steward_backup);
PGDLLEXPORT Datum steward_backup(PG_FUNCTION_ARGS) {
    const char* label = PG_ARGISNULL(0) ? nullptr : text_to_cstring(PG_GETARG_TEXT_PP(0));
    const bool wait = PG_ARGISNULL(1) || PG_GETARG_BOOL(1);
    const bool fast = PG_ARGISNULL(2) || PG_GETARG_BOOL(2);
    const bool full_read = !PG_ARGISNULL(3) && PG_GETARG_BOOL(3);
    const bool reuse = PG_ARGISNULL(4) || PG_GETARG_BOOL(4);
    steward::enter([&] {
        return steward::backup(fcinfo, label != nullptr ? std::optional<std::string>(label) : std::nullopt, wait,
                               {.label = {}, .fast_checkpoint = fast, .full_read = full_read, .reuse = reuse, .trigger = steward::JobTrigger::kManual});
    });
    return (Datum)0;
}

PG_FUNCTION_INFO_V1(steward_backup_progress);
PGDLLEXPORT Datum steward_backup_progress(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::progress_rows(fcinfo); });
    return (Datum)0;
}

PG_FUNCTION_INFO_V1(steward_backups);
PGDLLEXPORT Datum steward_backups(PG_FUNCTION_ARGS) {
    steward::enter([&] { return steward::backup_rows(fcinfo); });
    return (Datum)0;
}
}
