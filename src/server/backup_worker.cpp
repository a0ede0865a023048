// The backup worker: holds the backup session and drives the backup engine through it.
//
//   engine started and greeted -> pg_backup_start -> engine copies -> pg_backup_stop -> engine waits for the WAL and commits
//
// pg_backup_start and pg_backup_stop belong to one session; if it dies the backup is void, and the engine, having lost its
// socket, ends without having written a manifest.

#include <optional>
#include <vector>

#include "core/base/format.h"
#include "core/postgres/lsn.h"
#include "server/backup_job.h"
#include "server/boundary.h"
#include "server/report.h"
#include "server/run_engine.h"
#include "server/session.h"
#include "server/settings.h"
#include "server/worker.h"
#include "server/worker_entry.h"

namespace steward {

namespace {

class BackupRun {
public:
    BackupRun(uint64 number, std::string label, bool fast) : number_(number), label_(std::move(label)), fast_(fast) {}

    /// Run the whole backup. Errors: what made it fail; nothing is left in the repository then but objects that no manifest names.
    Result<std::vector<CatalogEntry>> run();

private:
    Result<void> copy();
    Result<std::vector<CatalogEntry>> commit();
    Result<Json> next_message();

    uint64 number_;
    std::string label_;
    bool fast_;
    std::unique_ptr<EngineProcess> engine_;
};

Result<std::vector<CatalogEntry>> BackupRun::run() {
    TRY_ASSIGN(engine_, start_run_engine("backup", number_));
    TRY(copy());
    return commit();
}

Result<void> BackupRun::copy() {
    note_phase(number_, "waiting for checkpoint");
    BackupStartMessage message;
    message.label = label_;
    message.from_standby = RecoveryInProgress();
    message.started_us = unix_us_of_timestamp(GetCurrentTimestamp());
    TRY_ASSIGN(message.start_lsn, start_backup_session(label_, fast_));
    note_phase(number_, "scanning");
    TRY(engine_->send(message));
    for (;;) {
        TRY_ASSIGN(const Json json, next_message());
        if (message_type(json) == BackupCopiedMessage::kType) return {};
    }
}

Result<std::vector<CatalogEntry>> BackupRun::commit() {
    TRY_ASSIGN(const StoppedBackup stopped, stop_backup_session());
    BackupFinishMessage message;
    message.stop_lsn = stopped.lsn;
    message.backup_label = stopped.backup_label;
    message.tablespace_map = stopped.tablespace_map;
    message.stopped_us = unix_us_of_timestamp(GetCurrentTimestamp());
    TRY(engine_->send(message));
    for (;;) {
        TRY_ASSIGN(const Json json, next_message());
        if (message_type(json) != BackupDoneMessage::kType) continue;
        TRY_ASSIGN(BackupDoneMessage done, read_message<BackupDoneMessage>(json));
        if (done.entries.empty()) return Error(ErrorCode::engine_failed, "engine named no repository that holds the backup");
        return std::move(done.entries);
    }
}

/// The engine's next message other than progress, which goes to shared memory.
Result<Json> BackupRun::next_message() {
    for (;;) {
        TRY_ASSIGN(Json json, next_engine_message(*engine_, number_));
        if (message_type(json) != BackupProgressMessage::kType) return json;
        TRY_ASSIGN(const BackupProgressMessage progress, read_message<BackupProgressMessage>(json));
        note_backup_progress(progress);
    }
}

Result<void> report_completion(const CatalogEntry& entry) {
    return report({LogLevel::kLog, "backup_complete", formatted("backup \"{}\" is complete", entry.label),
                   {{"start_lsn", entry.start_lsn}, {"stop_lsn", entry.stop_lsn}, {"files", std::to_string(entry.files)},
                    {"data", pretty_size(entry.data_bytes)}, {"repository", pretty_size(entry.repository_bytes)},
                    {"checksum_failures", std::to_string(entry.checksum_failures)}},
                   {}, {}, {}});
}

/// The worker's job, from connecting to the last message.
Result<void> run_backup_job(uint64 number) {
    std::string label;
    bool fast = true;
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        label = shared_state()->backup.label.view();
        fast = shared_state()->backup.fast_checkpoint;
    }
    const std::string database = current_setting_texts().at("database");
    const char* name = database.c_str();
    TRY(call_server([name] { BackgroundWorkerInitializeConnection(name, nullptr, 0); }));
    TRY(call_server([] { pgstat_report_activity(STATE_RUNNING, "steward backup"); }));

    TRY(begin_work(number));
    const Result<std::vector<CatalogEntry>> result = BackupRun(number, label, fast).run();
    if (!result.ok()) {
        TRY(fail_run(number, result.error()));
        // The requester gets it too, if one waits; the log keeps it in any case.
        return result.error();
    }
    TRY(finish_backup(number, *result));
    return report_completion(result->front());
}

}  // namespace

}  // namespace steward

extern "C" void pg_steward_backup_main(Datum) {
    using namespace steward;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, die);
    BackgroundWorkerUnblockSignals();
    uint64 number = 0;
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        number = backup_run().number;
    }
    fail_run_at_exit(number);
    occupy_slot(&backup_run().worker);
    enter([number] { return run_backup_job(number); });
    proc_exit(0);
}
