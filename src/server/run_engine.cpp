#include "server/run_engine.h"

#include <chrono>

#include "server/run.h"
#include "server/worker.h"

namespace steward {

using namespace std::chrono_literals;

namespace {

constexpr auto kGreetingTimeout = 10s;
/// Everything that matters sets the latch or arrives on the socket.
constexpr auto kLongestWait = 60s;

}  // namespace

Result<std::unique_ptr<EngineProcess>> start_run_engine(const std::string& name, uint64 number) {
    TRY_ASSIGN(std::unique_ptr<EngineProcess> engine, EngineProcess::start(name, engine_program()));
    note_engine(number, engine->pid());
    const auto deadline = std::chrono::steady_clock::now() + kGreetingTimeout;
    while (!engine->greeted()) {
        TRY(check_cancel_request(number));
        TRY_ASSIGN(const std::optional<Json> early, engine->receive());
        if (engine->greeted()) break;
        if (early || std::chrono::steady_clock::now() > deadline) return Error(ErrorCode::engine_failed, "engine did not greet in time");
        TRY(wait_for_work(engine.get(), 1000ms));
    }
    TRY(engine->send(configure_message()));
    return engine;
}

Result<Json> next_engine_message(EngineProcess& engine, uint64 number) {
    for (;;) {
        TRY(check_cancel_request(number));
        TRY_ASSIGN(std::optional<Json> json, engine.receive());
        if (json) return std::move(*json);
        TRY(wait_for_work(&engine, kLongestWait));
    }
}

}  // namespace steward
