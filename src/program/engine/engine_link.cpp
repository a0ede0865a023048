#include "program/engine/engine_link.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>

namespace steward {


EngineLink::EngineLink(int socket) : socket_(socket) {
    send(HelloMessage{STEWARD_VERSION, kProtocolVersion});
    reader_ = std::jthread([this] { read_until_closed(); });
}

EngineLink::~EngineLink() {
    // Wakes the reader, which then finds the end of the stream.
    ::shutdown(socket_, SHUT_RDWR);
    reader_.join();
    ::close(socket_);
}

std::optional<Json> EngineLink::receive(std::optional<std::chrono::milliseconds> timeout) {
    std::unique_lock lock(mutex_);
    const auto ready = [this] { return closed_ || !messages_.empty(); };
    if (timeout)
        arrived_.wait_for(lock, *timeout, ready);
    else
        arrived_.wait(lock, ready);
    if (messages_.empty()) return std::nullopt;
    std::optional<Json> message = std::move(messages_.front());
    messages_.pop_front();
    return message;
}

void EngineLink::send_frame(const std::string& frame) {
    const std::lock_guard lock(send_mutex_);
    size_t done = 0;
    while (done < frame.size()) {
        const ssize_t n = ::send(socket_, frame.data() + done, frame.size() - done, MSG_NOSIGNAL);
        if (n > 0)
            done += static_cast<size_t>(n);
        else if (errno != EINTR)
            return;  // the worker is gone: the reader sees the same and ends the engine
    }
}

void EngineLink::read_until_closed() {
    FrameDecoder decoder;
    for (;;) {
        std::byte buffer[65536];
        const ssize_t n = ::recv(socket_, buffer, sizeof buffer, 0);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) break;
        decoder.feed(ByteView(buffer, static_cast<size_t>(n)));
        for (;;) {
            Result<std::optional<std::string>> text = decoder.next();
            if (!text.ok() || !*text) break;
            Result<Json> json = parse_frame_text(**text);
            if (!json.ok()) break;
            const std::lock_guard lock(mutex_);
            messages_.push_back(std::move(json).value());
            arrived_.notify_all();
        }
    }
    {
        const std::lock_guard lock(mutex_);
        closed_ = true;
    }
    stop_.request_stop();
    arrived_.notify_all();
}

}  // namespace steward
