#include "program/child_server.h"

#include <signal.h>

#include <chrono>
#include <string>
#include <string_view>

#include "core/restore/target_directory.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr auto kLook = 20ms;
/// What an immediate shutdown may take before the postmaster itself is killed: it kills its children after 5 s (SIGKILL_CHILDREN_AFTER_SECS).
constexpr auto kShutdown = 15s;
constexpr size_t kMostLockFile = 64 * 1024;

}  // namespace

/// Line 8 of postmaster.pid is "ready" once the server is open (LOCK_FILE_LINE_PM_STATUS of pidfile.h).
bool accepts_connections(const std::filesystem::path& data_directory, pid_t postmaster) {
    constexpr int kStatusLine = 8;
    const std::string text = end_of_file(data_directory / "postmaster.pid", kMostLockFile);
    std::string_view rest = text;
    // What is left of a crashed one says "ready" too.
    if (rest.substr(0, rest.find('\n')) != std::to_string(postmaster)) return false;
    for (int line = 1; line < kStatusLine; ++line) {
        const size_t end = rest.find('\n');
        if (end == rest.npos) return false;
        rest.remove_prefix(end + 1);
    }
    return rest.starts_with("ready");
}

void end_at_once(ChildProcess& postmaster, const std::filesystem::path& data_directory, RetryTimer& timer) {
    const CancelSource never;
    const auto deadline = timer.now() + kShutdown;
    postmaster.signal(SIGQUIT);
    while (!postmaster.ended() && timer.now() < deadline) timer.wait(kLook, never.get_token());
    postmaster.signal(SIGKILL);
    while (find_running_server(data_directory) && timer.now() < deadline + kShutdown) timer.wait(kLook, never.get_token());
}

}  // namespace steward
