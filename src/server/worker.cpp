#include "server/worker.h"

#include <algorithm>

#include "server/boundary.h"
#include "server/report.h"

namespace steward {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

constexpr auto kFirstPause = 500ms;
constexpr auto kLongestPause = 30s;
/// An engine that ran this long has recovered: the next failure starts with the short pause again.
constexpr auto kStable = 60s;
constexpr auto kGreetingTimeout = 10s;

void leave_slot(int, Datum argument) {
    auto* slot = reinterpret_cast<WorkerSlot*>(DatumGetPointer(argument));
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    slot->pid = 0;
    slot->engine_pid = 0;
    slot->engine_state = EngineState::kNone;
    slot->latch = nullptr;
}

}  // namespace

void occupy_slot(WorkerSlot* slot) {
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        slot->pid = MyProcPid;
        slot->latch = MyLatch;
        slot->engine_state = EngineState::kNone;
    }
    before_shmem_exit(leave_slot, PointerGetDatum(slot));
}

Result<void> wait_for_work(const EngineProcess* engine, std::chrono::milliseconds timeout) {
    const pgsocket socket = engine != nullptr ? engine->socket() : PGINVALID_SOCKET;
    const int events = WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH | (engine != nullptr ? WL_SOCKET_READABLE : 0);
    const long milliseconds = std::max<long>(timeout.count(), 0);
    return call_server([=] {
        if ((WaitLatchOrSocket(MyLatch, events, socket, milliseconds, compat::wait_event()) & WL_LATCH_SET) != 0) ResetLatch(MyLatch);
        CHECK_FOR_INTERRUPTS();
    });
}

Result<void> EngineSupervisor::ensure_running() {
    if (engine_) {
        if (engine_->greeted() || steady_clock::now() < started_ + kGreetingTimeout) return {};
        return engine_failed(Error(ErrorCode::engine_failed, "engine did not greet in time"));
    }
    if (steady_clock::now() < next_start_) return {};
    started_ = steady_clock::now();
    Result<std::unique_ptr<EngineProcess>> started = EngineProcess::start(job_, engine_program());
    if (!started.ok()) return engine_failed(started.error());
    engine_ = std::move(started).value();
    publish(EngineState::kStarting);
    return {};
}

Result<std::optional<Json>> EngineSupervisor::receive() {
    if (!engine_) return std::optional<Json>();
    const bool was_greeted = engine_->greeted();
    Result<std::optional<Json>> message = engine_->receive();
    if (!message.ok()) {
        if (message.error().code() == ErrorCode::server_raised) return message;
        TRY(engine_failed(message.error()));
        return std::optional<Json>();
    }
    if (!was_greeted && engine_->greeted()) publish(EngineState::kRunning);
    return message;
}

void EngineSupervisor::stop() {
    engine_.reset();
    next_start_ = {};
    pause_ = 0ms;
    publish(EngineState::kNone);
}

std::chrono::milliseconds EngineSupervisor::patience() const {
    if (engine_) return engine_->greeted() ? 60s : std::chrono::duration_cast<std::chrono::milliseconds>(kGreetingTimeout);
    return std::max(std::chrono::ceil<std::chrono::milliseconds>(next_start_ - steady_clock::now()), std::chrono::milliseconds(0));
}

Result<void> EngineSupervisor::engine_failed(const Error& error) {
    engine_.reset();
    const auto now = steady_clock::now();
    pause_ = now - started_ > kStable ? kFirstPause : std::clamp<std::chrono::milliseconds>(pause_ * 2, kFirstPause, kLongestPause);
    next_start_ = now + pause_;
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        slot_->last_failure = GetCurrentTimestamp();
        slot_->last_failure_message.assign(error.message());
    }
    publish(EngineState::kWaitingToRestart);
    return report_warning(Error(error).context("while running engine \"" + job_ + "\""));
}

void EngineSupervisor::publish(EngineState state) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    slot_->engine_state = state;
    slot_->engine_pid = engine_ ? engine_->pid() : 0;
    if (state == EngineState::kStarting) {
        slot_->engine_starts++;
        slot_->engine_started = GetCurrentTimestamp();
    }
}

}  // namespace steward
