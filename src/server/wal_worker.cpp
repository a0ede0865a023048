// The WAL worker: keeps the WAL engine running, hands it what the archiver asks for, publishes what it reports.
//
// It runs from the postmaster's start to its end, also during recovery, so that a standby shows the repository's state.

#include <algorithm>
#include <string_view>

#include "server/boundary.h"
#include "server/report.h"
#include "server/settings.h"
#include "server/wal_state.h"
#include "server/worker.h"
#include "server/worker_entry.h"

namespace steward {

namespace {

/// Whether finished segments get into the repository: without them a tail is worth nothing.
bool archives_here() { return XLogArchivingActive() && std::string_view(XLogArchiveLibrary) == "pg_steward"; }

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
    Result<void> report_flushed();
    std::chrono::milliseconds patience() const;
    Result<void> send_configuration();

    EngineSupervisor supervisor_;
    bool configured_ = false;
    uint64 forwarded_ = 0;
    std::chrono::seconds tail_interval_{0};
    std::chrono::steady_clock::time_point next_report_{};
    FlushedMessage reported_;
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
        TRY(report_flushed());
        TRY(wait_for_work(supervisor_.process(), patience()));
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
    } else if (type == GivenUpMessage::kType) {
        TRY_ASSIGN(const GivenUpMessage message, read_message<GivenUpMessage>(json));
        note_given_up(message.names);
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
    if (wanted.empty()) return {};  // it was settled meanwhile
    // A failing send shows again, with its cause, when the engine's end of the socket is read.
    if (const Result<void> sent = engine->send(WantMessage{wanted}); !sent.ok()) TRY(report_warning(sent.error()));
    return {};
}

/// Tell the engine once an interval how far WAL has got, if it has. A standby is silent: the primary stores this WAL.
Result<void> WalWorker::report_flushed() {
    EngineProcess* engine = supervisor_.engine();
    const auto now = std::chrono::steady_clock::now();
    if (engine == nullptr || tail_interval_.count() == 0 || now < next_report_ || RecoveryInProgress() || !archives_here()) return {};
    next_report_ = now + tail_interval_;
    FlushedMessage flushed;
    flushed.lsn = GetFlushRecPtr(&flushed.timeline);
    if (flushed.lsn == reported_.lsn && flushed.timeline == reported_.timeline) return {};
    reported_ = flushed;
    if (const Result<void> sent = engine->send(flushed); !sent.ok()) TRY(report_warning(sent.error()));
    return {};
}

/// How long to sleep at most.
std::chrono::milliseconds WalWorker::patience() const {
    using namespace std::chrono_literals;
    if (!repository_is_set()) return 60s;
    if (tail_interval_.count() == 0 || supervisor_.engine() == nullptr || !archives_here()) return supervisor_.patience();
    // In recovery nothing is due, but the end of it must be noticed.
    const auto due = std::chrono::ceil<std::chrono::milliseconds>(next_report_ - std::chrono::steady_clock::now());
    return std::min(supervisor_.patience(), RecoveryInProgress() ? std::chrono::milliseconds(tail_interval_) : std::max(due, 0ms));
}

Result<void> WalWorker::send_configuration() {
    configured_ = true;
    forwarded_ = 0;  // a new engine has not heard what the archiver waits for
    reported_ = {};  // nor how far WAL has got
    next_report_ = {};
    // What the server checked when it took them over.
    if (const Result<Settings> settings = current_settings(); settings.ok()) tail_interval_ = settings->archive_tail_interval;
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
