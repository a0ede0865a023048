// An engine as its worker sees it: a child process at the other end of a socketpair.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "core/protocol/frame.h"
#include "core/protocol/messages.h"
#include "server/compat.h"

namespace steward {

/// A running `pg_steward engine JOB`. It gets no shared memory and no descriptor but its end of the socketpair (as 3), is in a
/// process group of its own (the server signals groups, and only its worker may stop an engine), and dies with its parent.
///
/// Used from one process, between boundary.h's doors. The destructor kills the engine, which is always safe: every action of
/// an engine is idempotent and nothing half-done is visible in a repository.
class EngineProcess {
public:
    /// Start the engine for `job` ("wal", "backup", "upkeep"). Errors: engine_failed with the cure when the program is missing or
    /// cannot be executed.
    static Result<std::unique_ptr<EngineProcess>> start(const std::string& job, const std::string& program);

    EngineProcess(const EngineProcess&) = delete;
    EngineProcess& operator=(const EngineProcess&) = delete;
    ~EngineProcess();

    pgsocket socket() const { return socket_; }
    pid_t pid() const { return pid_; }
    /// Whether the handshake is done: messages may be sent from then on.
    bool greeted() const { return greeted_; }

    /// Send one message, waiting at most five seconds for room. Errors: engine_failed.
    template <typename Message>
    Result<void> send(const Message& message) {
        return send_frame(encode_frame(render_message(message)));
    }

    /// The next message that has arrived, or nothing yet; never waits. The greeting is checked and log records are written to
    /// the server's log here; a "failed" message comes back as its error. Errors: engine_failed when the engine ended or is of
    /// another version, with what is known of why.
    Result<std::optional<Json>> receive();

private:
    EngineProcess(pid_t pid, pgsocket socket, std::string program) : pid_(pid), socket_(socket), program_(std::move(program)) {}

    Result<void> send_frame(const std::string& frame);
    Result<std::optional<std::string>> read_frame();
    Result<void> check_greeting(const Json& json);
    Error ended();

    pid_t pid_;
    pgsocket socket_;
    std::string program_;
    bool greeted_ = false;
    FrameDecoder decoder_;
};

/// What the engine must know before it can work: this server's facts and the settings in force.
ConfigureMessage configure_message();

/// The program that engines are made of: the setting, or the one beside the postgres program.
std::string engine_program();

}  // namespace steward
