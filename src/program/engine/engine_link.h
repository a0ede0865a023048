// The engine's end of the socket to its worker.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <thread>

#include "core/base/cancel.h"
#include "core/base/log.h"
#include "core/protocol/frame.h"
#include "core/protocol/messages.h"

namespace steward {

/// Talks to the worker. A thread of its own reads, so that the loss of the worker is seen at once: the token is stopped then,
/// and if the engine has not ended by itself a moment later the process is ended. Thread-safe.
class EngineLink final : public Log {
public:
    /// Take over descriptor `socket` and greet the worker.
    explicit EngineLink(int socket);
    ~EngineLink() override;

    /// Stopped when the worker is gone or the process was told to end.
    CancelToken cancel() const { return stop_.get_token(); }

    template <typename Message>
    void send(const Message& message) {
        send_frame(encode_frame(render_message(message)));
    }

    /// Log records go to the server's log.
    void write(const LogRecord& record) override { send(LogMessage{record}); }

    /// Wait for the next message. Nothing when the worker is gone, or when `timeout` has passed.
    std::optional<Json> receive(std::optional<std::chrono::milliseconds> timeout = std::nullopt);

    /// Wait for the next message, which must be of this type. Errors: engine_failed; cancelled when the worker is gone.
    template <typename Message>
    Result<Message> expect() {
        std::optional<Json> json = receive();
        if (!json) return Error(ErrorCode::cancelled, "the worker is gone");
        if (message_type(*json) != Message::kType)
            return Error(ErrorCode::engine_failed, "unexpected message \"" + message_type(*json) + "\" on the engine's socket");
        return read_message<Message>(*json);
    }

private:
    void send_frame(const std::string& frame);
    void read_until_closed();

    int socket_;
    CancelSource stop_;
    std::mutex send_mutex_;
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<Json> messages_;
    bool closed_ = false;
    std::jthread reader_;
};

}  // namespace steward
