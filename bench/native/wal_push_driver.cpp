// Plays the server for one run of the WAL engine: starts the program, configures it, and waits until it has reported every
// segment as durable.
//
//   wal_push_driver PROGRAM DATA_DIRECTORY REPOSITORY COUNT     prints the wall time from exec to the last segment, in seconds

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <set>
#include <string>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/pg_control.h"
#include "core/protocol/frame.h"
#include "core/protocol/messages.h"
#include "core/storage/file_storage.h"

namespace steward {
namespace {

/// Where the program expects its socket (src/program/engine/engines.h).
constexpr int kEngineSocket = 3;

struct Arguments {
    std::string program;
    std::string data_directory;
    std::string repository;
    size_t count;
};

ConfigureMessage configuration_of(const Arguments& arguments, const ControlFile& control) {
    ConfigureMessage message;
    message.facts.data_directory = arguments.data_directory;
    message.facts.system_identifier = control.system_identifier;
    message.facts.major = 15;
    message.facts.wal_segment_size = control.wal_segment_size;
    message.facts.server_version = "15";
    message.settings = {{"repository", file_url(arguments.repository)}, {"archive_workers", "2"}, {"compression", "zstd:3"}};
    return message;
}

/// Start the engine with one end of a socket pair; returns the other.
Result<UniqueFd> start_engine(const std::string& program, pid_t& pid) {
    int sockets[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets) != 0) return Error::from_errno(errno, "could not make a socket pair");
    UniqueFd ours(sockets[0]);
    const UniqueFd theirs(sockets[1]);
    pid = ::fork();
    if (pid < 0) return Error::from_errno(errno, "could not fork");
    if (pid == 0) {
        if (theirs.get() == kEngineSocket)
            ::fcntl(kEngineSocket, F_SETFD, 0);
        else
            ::dup2(theirs.get(), kEngineSocket);
        ::execl(program.c_str(), program.c_str(), "engine", "wal", nullptr);
        ::_exit(127);
    }
    return ours;
}

/// Receive until `count` files are reported as stored. Errors: what the engine reports, or its end.
Result<void> wait_for_stored(int socket, size_t count) {
    std::set<std::string> stored;
    FrameDecoder decoder;
    while (stored.size() < count) {
        std::byte buffer[65536];
        const ssize_t n = ::recv(socket, buffer, sizeof buffer, 0);
        if (n <= 0) return Error(ErrorCode::engine_failed, formatted("the engine ended after {} of {} files", stored.size(), count));
        decoder.feed(ByteView(buffer, static_cast<size_t>(n)));
        for (;;) {
            TRY_ASSIGN(const std::optional<std::string> text, decoder.next());
            if (!text) break;
            TRY_ASSIGN(const Json json, parse_frame_text(*text));
            if (message_type(json) == StoredMessage::kType) {
                TRY_ASSIGN(const StoredMessage message, read_message<StoredMessage>(json));
                stored.insert(message.names.begin(), message.names.end());
            } else if (message_type(json) == NotStoredMessage::kType) {
                TRY_ASSIGN(const NotStoredMessage message, read_message<NotStoredMessage>(json));
                return message.error;
            }
        }
    }
    return {};
}

/// Returns the seconds from the start of the program until it reported the last of the files.
Result<double> push_all(const Arguments& arguments) {
    TRY_ASSIGN(const ControlFile control, read_control_file(arguments.data_directory));
    const std::string configure = encode_frame(render_message(configuration_of(arguments, control)));
    const auto started = std::chrono::steady_clock::now();
    pid_t pid = -1;
    Result<void> stored;
    {
        TRY_ASSIGN(const UniqueFd socket, start_engine(arguments.program, pid));
        TRY(write_all(socket.get(), as_bytes(configure), "engine's socket"));
        stored = wait_for_stored(socket.get(), arguments.count);
    }
    const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started;
    ::waitpid(pid, nullptr, 0);  // it ends by itself: the socket is closed
    TRY(stored);
    return elapsed.count();
}

}  // namespace
}  // namespace steward

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: wal_push_driver PROGRAM DATA_DIRECTORY REPOSITORY COUNT\n", stderr);
        return 2;
    }
    const steward::Result<double> seconds = steward::push_all({argv[1], argv[2], argv[3], std::strtoul(argv[4], nullptr, 10)});
    if (!seconds.ok()) {
        std::fprintf(stderr, "wal_push_driver: %s\n", seconds.error().to_string().c_str());
        return 1;
    }
    std::printf("%.3f\n", *seconds);
}
