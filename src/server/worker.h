// What every background worker of ours does the same way.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "server/engine_process.h"
#include "server/shared_state.h"

namespace steward {

/// Register this process in `slot` until it ends, however it ends.
void occupy_slot(WorkerSlot* slot);

/// Wait until the latch is set, the engine (may be nullptr) has something to read, or `timeout` has passed; then serve
/// interrupts. Ends the process when the postmaster has died.
Result<void> wait_for_work(const EngineProcess* engine, std::chrono::milliseconds timeout);

/// Keeps one engine running: starts it, greets it, restarts it with growing pauses when it dies.
class EngineSupervisor {
public:
    EngineSupervisor(std::string job, WorkerSlot* slot) : job_(std::move(job)), slot_(slot) {}

    /// The engine, when one is running and greeted; otherwise nullptr.
    EngineProcess* engine() const { return engine_ && engine_->greeted() ? engine_.get() : nullptr; }
    /// The engine even before it has greeted.
    EngineProcess* process() const { return engine_.get(); }

    /// Start an engine if none is running and the pause is over. Errors: only what must end the worker; a failing start is
    /// logged and tried again.
    Result<void> ensure_running();

    /// The next message; nothing yet, too, when the engine has just died, which is logged and cured by ensure_running.
    /// An error that the engine itself reported ends it as well.
    Result<std::optional<Json>> receive();

    /// End the engine now, without counting it as a failure.
    void stop();

    /// How long to sleep at most before ensure_running has something to do.
    std::chrono::milliseconds patience() const;

private:
    Result<void> engine_failed(const Error& error);
    void publish(EngineState state);

    std::string job_;
    WorkerSlot* slot_;
    std::unique_ptr<EngineProcess> engine_;
    std::chrono::steady_clock::time_point started_;
    std::chrono::steady_clock::time_point next_start_{};
    std::chrono::milliseconds pause_{0};
};

}  // namespace steward
