// The WAL worker: keeps the WAL engine running, hands it what the archiver asks for, publishes what it reports.
//
// It runs from the postmaster's start to its end, also during recovery, so that a standby shows the repository's state.

#include "server/boundary.h"
#include "server/report.h"
#include "server/settings.h"
#include "server/wal_state.h"
#include "server/worker.h"
#include "server/worker_entry.h"

namespace steward {

namespace {

class WalWorker {
public:
    WalWorker() : supervisor_("wal", &shared_state()->wal_worker) {}

    /// Work until asked to stop.
    Result<void> run();

private:
    Result<void> serve_reload();
    Result<void> serve_engine();
    Result<void> take(const Json& json);
    Result<void> forward_request();
    Result<void> send_configuration();

    EngineSupervisor supervisor_;
    bool configured_ = false;
    uint64 forwarded_ = 0;
};

Result<void> WalWorker::run() {
    while (!ShutdownRequestPending) {
        TRY(serve_reload());
        if (repository_is_set())
            TRY(supervisor_.ensure_running());
        else
            supervisor_.stop();
        TRY(serve_engine());
        TRY(forward_request());
        const auto patience = repository_is_set() ? supervisor_.patience() : std::chrono::milliseconds(60000);
        TRY(wait_for_work(supervisor_.process(), patience));
    }
    return {};
}

Result<void> WalWorker::serve_reload() {
    if (!ConfigReloadPending) return {};
    ConfigReloadPending = false;
    const std::string program_before = engine_program();
    TRY(call_server([] { ProcessConfigFile(PGC_SIGHUP); }));
    if (engine_program() != program_before) supervisor_.stop();
    configured_ = false;
    return {};
}

Result<void> WalWorker::serve_engine() {
    for (;;) {
        const EngineProcess* before = supervisor_.engine();
        TRY_ASSIGN(const std::optional<Json> message, supervisor_.receive());
        if (supervisor_.engine() != before) configured_ = false;
        if (!configured_ && supervisor_.engine() != nullptr) TRY(send_configuration());
        if (!message) return {};
        TRY(take(*message));
    }
}

Result<void> WalWorker::take(const Json& json) {
    const std::string type = message_type(json);
    if (type == StoredMessage::kType) {
        TRY_ASSIGN(const StoredMessage message, read_message<StoredMessage>(json));
        note_stored(message.names);
    } else if (type == NotStoredMessage::kType) {
        TRY_ASSIGN(const NotStoredMessage message, read_message<NotStoredMessage>(json));
        note_failure(message.name, message.error);
    } else if (type == WalStatusMessage::kType) {
        TRY_ASSIGN(const WalStatusMessage message, read_message<WalStatusMessage>(json));
        note_wal_status(message);
    } else if (type == CatalogMessage::kType) {
        TRY_ASSIGN(const CatalogMessage message, read_message<CatalogMessage>(json));
        note_catalog(message);
    } else if (type == RecoveryWindowMessage::kType) {
        TRY_ASSIGN(const RecoveryWindowMessage message, read_message<RecoveryWindowMessage>(json));
        note_recovery_window(message);
    }
    return {};
}

Result<void> WalWorker::forward_request() {
    EngineProcess* engine = supervisor_.engine();
    if (engine == nullptr) return {};
    std::string wanted;
    {
        const SharedLock lock(shared_state(), LW_SHARED);
        const SharedWal& wal = shared_state()->wal;
        if (wal.want_number == forwarded_) return {};
        forwarded_ = wal.want_number;
        wanted = wal.wanted.view();
    }
    // A failing send shows again, with its cause, when the engine's end of the socket is read.
    if (const Result<void> sent = engine->send(WantMessage{wanted}); !sent.ok()) TRY(report_warning(sent.error()));
    return {};
}

Result<void> WalWorker::send_configuration() {
    configured_ = true;
    forwarded_ = 0;  // a new engine has not heard what the archiver waits for
    if (const Result<void> sent = supervisor_.engine()->send(configure_message()); !sent.ok()) TRY(report_warning(sent.error()));
    return {};
}

}  // namespace

}  // namespace steward

extern "C" void pg_steward_wal_main(Datum) {
    using namespace steward;
    pqsignal(SIGHUP, SignalHandlerForConfigReload);
    pqsignal(SIGTERM, SignalHandlerForShutdownRequest);
    BackgroundWorkerUnblockSignals();
    occupy_slot(&shared_state()->wal_worker);
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        shared_state()->wal.worker_was_stopped = false;
    }
    PgArchWakeup();
    enter([] { return WalWorker().run(); });
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        shared_state()->wal.worker_was_stopped = true;
    }
    // Asked to stop: at shutdown this is the end; by pg_terminate_backend, status 1 makes the postmaster start us again.
    proc_exit(1);
}
