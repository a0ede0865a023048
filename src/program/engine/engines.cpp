#include "program/engine/engines.h"

#include <csignal>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

namespace steward {

using namespace std::chrono_literals;

namespace {

/// Work may be deep in a system call when the worker dies. Nothing it does is visible before it is complete, so ending the
/// process is always right, and leaves no engine behind that fights its successor.
void end_with_worker(EngineLink& link, std::stop_token finished) {
    std::mutex mutex;
    std::condition_variable_any changed;
    std::unique_lock lock(mutex);
    const CancelToken lost = link.cancel();
    std::stop_callback wake(lost, [&] {
        const std::lock_guard inner(mutex);
        changed.notify_all();
    });
    changed.wait(lock, finished, [&] { return lost.stop_requested(); });
    if (finished.stop_requested()) return;
    changed.wait_for(lock, finished, 2s, [] { return false; });
    if (!finished.stop_requested()) std::_Exit(0);
}

}  // namespace

int run_engine(const std::string& job) {
    std::signal(SIGPIPE, SIG_IGN);
    EngineLink link(kEngineSocket);
    std::jthread guard([&link](std::stop_token finished) { end_with_worker(link, finished); });
    const Result<void> result = job == "wal"      ? run_wal_engine(link)
                                : job == "backup" ? run_backup_engine(link)
                                : job == "upkeep" ? run_upkeep_engine(link)
                                                  : Result<void>(Error(ErrorCode::usage, "there is no engine \"" + job + "\""));
    if (result.ok()) return 0;
    link.send(FailedMessage{result.error()});
    return info(result.error().code()).exit_status;
}

}  // namespace steward
