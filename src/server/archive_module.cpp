// The archive module (archive_library = 'pg_steward'): the archiver's question "is this file safe?".
//
// The archiver does no work here. The WAL engine pushes every ready file ahead of it, so the answer is mostly at hand; if not,
// the file is put first in line and waited for, with a bound, since the archiver serves no other request meanwhile.
//
// At shutdown background workers are gone before the archiver's last round, which carries the shutdown checkpoint. For that
// round the archiver starts an engine of its own.

#include <chrono>
#include <memory>

#include "server/boundary.h"
#include "server/report.h"
#include "server/settings.h"
#include "server/wal_state.h"
#include "server/worker.h"

namespace steward {

namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

/// Longest stay in the callback. While it lasts the archiver does not see a reload; the engine's own retries go on behind it.
constexpr auto kPatience = 10s;
/// How long a pending reload waits for the file in hand.
constexpr auto kReloadPatience = 1s;

/// The engine for the last round; lives until the archiver ends.
std::unique_ptr<EngineSupervisor> own_engine;
WorkerSlot own_slot;
std::vector<std::string> own_settled;

enum class Answer { kSettled, kNotYet };

/// Stored, or given up because the operator limits what may wait: either way the server may remove it.
bool is_settled(std::string_view name) { return is_known_as_stored(name) || is_known_as_given_up(name); }

/// The worker's engine is not running, and the worker pauses before it starts another.
bool engine_is_failing() {
    const SharedLock lock(shared_state(), LW_SHARED);
    return shared_state()->wal_worker.engine_state == EngineState::kWaitingToRestart;
}

bool worker_was_stopped() {
    const SharedLock lock(shared_state(), LW_SHARED);
    return shared_state()->wal_worker.pid == 0 && shared_state()->wal.worker_was_stopped;
}

/// Wait on the archiver's latch, which others set for reasons of their own: note_stored, reload, shutdown.
Result<void> wait_on_latch(const EngineProcess* engine, std::chrono::milliseconds timeout) {
    TRY(wait_for_work(engine, timeout));
    return call_server([] {
        // The archiver's loop serves barriers only between files; DROP DATABASE and others must not wait for a slow store.
        if (ProcSignalBarrierPending) ProcessProcSignalBarrier();
    });
}

/// Take messages of the archiver's own engine; tells whether it is fit to be asked.
Result<bool> serve_own_engine() {
    TRY(own_engine->ensure_running());
    bool configured_now = false;
    for (;;) {
        const bool was_ready = own_engine->engine() != nullptr;
        TRY_ASSIGN(const std::optional<Json> message, own_engine->receive());
        if (!was_ready && own_engine->engine() != nullptr) {
            TRY(own_engine->engine()->send(configure_message()));
            configured_now = true;
        }
        if (!message) return configured_now;
        const std::string type = message_type(*message);
        if (type == StoredMessage::kType) {
            TRY_ASSIGN(StoredMessage stored, read_message<StoredMessage>(*message));
            std::ranges::move(stored.names, std::back_inserter(own_settled));
        } else if (type == GivenUpMessage::kType) {
            TRY_ASSIGN(GivenUpMessage given_up, read_message<GivenUpMessage>(*message));
            std::ranges::move(given_up.names, std::back_inserter(own_settled));
        } else if (type == NotStoredMessage::kType) {
            TRY_ASSIGN(const NotStoredMessage failed, read_message<NotStoredMessage>(*message));
            note_failure(failed.name, failed.error);
        }
    }
}

/// The last round: have `name` stored by an engine of this process.
Result<Answer> store_by_own_engine(std::string_view name) {
    if (!own_engine) own_engine = std::make_unique<EngineSupervisor>("wal", &own_slot);
    const auto deadline = steady_clock::now() + kPatience;
    const uint64 failures = ask_for(name);
    bool asked = false;
    while (steady_clock::now() < deadline) {
        TRY_ASSIGN(const bool configured_now, serve_own_engine());
        if (configured_now) asked = false;
        if (std::ranges::find(own_settled, name) != own_settled.end()) return Answer::kSettled;
        if (const std::optional<Error> failure = failure_since(name, failures)) {
            TRY(report_warning(*failure));
            return Answer::kNotYet;
        }
        if (own_engine->process() == nullptr) return Answer::kNotYet;  // it failed, which is in the log; the archiver asks again
        if (!asked && own_engine->engine() != nullptr) {
            TRY(own_engine->engine()->send(WantMessage{std::string(name)}));
            asked = true;
        }
        TRY(wait_on_latch(own_engine->process(), std::min<std::chrono::milliseconds>(own_engine->patience(), 1s)));
    }
    return Answer::kNotYet;
}

/// Wait until the WAL worker's engine has stored `name`, for a bounded time.
Result<Answer> wait_for_worker(std::string_view name) {
    const uint64 failures = ask_for(name);
    auto deadline = steady_clock::now() + kPatience;
    for (;;) {
        if (is_settled(name)) return Answer::kSettled;
        if (const std::optional<Error> failure = failure_since(name, failures)) {
            TRY(report_warning(*failure));
            break;
        }
        if (worker_was_stopped()) return store_by_own_engine(name);
        if (engine_is_failing()) break;  // the worker has logged why
        if (ConfigReloadPending) deadline = std::min(deadline, steady_clock::now() + kReloadPatience);
        const auto rest = std::chrono::ceil<std::chrono::milliseconds>(deadline - steady_clock::now());
        if (rest <= 0ms) {
            TRY(report_warning(Error(ErrorCode::timed_out, "WAL file \"" + std::string(name) + "\" is not stored yet")
                                   .detail("The engine goes on storing; the archiver asks again.")
                                   .hint("See steward.wal_archive for the state of each repository.")));
            break;
        }
        TRY(wait_on_latch(nullptr, std::min<std::chrono::milliseconds>(rest, 1s)));
    }
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    shared_state()->wal.archiver_rebuffed = true;
    return Answer::kNotYet;
}

Result<bool> archive(std::string_view name) {
    TRY(require_shared_state());
    if (is_settled(name)) return true;
    const Result<Answer> answer = own_engine ? store_by_own_engine(name) : wait_for_worker(name);
    // The waits above cleared the latch; whatever it was set for, the archiver's own loop must look again.
    SetLatch(MyLatch);
    if (!answer.ok()) return answer.error();
    return *answer == Answer::kSettled;
}

/// On 15 and 16 an error raised here restarts the archiver: log it and answer "not yet" instead. Interrupts are different:
/// the server raised them, and must see them.
bool archive_without_raising(const char* name) {
    return enter([&]() -> Result<bool> {
        Result<bool> stored = archive(name);
        if (stored.ok() || stored.error().code() == ErrorCode::server_raised) return stored;
        TRY(report_warning(stored.error()));
        return false;
    });
}

bool configured() { return shared_state() != nullptr && repository_is_set(); }

}  // namespace

}  // namespace steward

extern "C" {

#if STEWARD_ARCHIVE_MODULE_HAS_STATE
static bool steward_check_configured(ArchiveModuleState*) {
    if (steward::configured()) return true;
    STEWARD_ARCHIVE_NOT_CONFIGURED("Set \"steward.repository\", and load pg_steward by \"shared_preload_libraries\".");
    return false;
}
static bool steward_archive_file(ArchiveModuleState*, const char* file, const char*) { return steward::archive_without_raising(file); }
static void steward_shutdown(ArchiveModuleState*) { steward::own_engine.reset(); }

static const ArchiveModuleCallbacks callbacks = {
    .startup_cb = nullptr,
    .check_configured_cb = steward_check_configured,
    .archive_file_cb = steward_archive_file,
    .shutdown_cb = steward_shutdown,
};

PGDLLEXPORT const ArchiveModuleCallbacks* _PG_archive_module_init(void) { return &callbacks; }
#else
static bool steward_check_configured(void) { return steward::configured(); }
static bool steward_archive_file(const char* file, const char*) { return steward::archive_without_raising(file); }
static void steward_shutdown(void) { steward::own_engine.reset(); }

PGDLLEXPORT void _PG_archive_module_init(ArchiveModuleCallbacks* callbacks) {
    callbacks->check_configured_cb = steward_check_configured;
    callbacks->archive_file_cb = steward_archive_file;
    callbacks->shutdown_cb = steward_shutdown;
}
#endif
}
