// Progress of the core's long work, shown as a job's.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "core/restore/restore_progress.h"
#include "program/upkeep/upkeep.h"

namespace steward {

/// Copies `from` to `to` several times a second, from a thread of its own, until it goes.
class ProgressMirror {
public:
    ProgressMirror(const RestoreProgress& from, UpkeepProgress& to) : thread_([&from, &to](std::stop_token stop) { mirror(from, to, stop); }) {}

private:
    static void mirror(const RestoreProgress& from, UpkeepProgress& to, std::stop_token stop) {
        using namespace std::chrono_literals;
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        while (!stop.stop_requested()) {
            const char* const phase = from.phase;
            if (to.phase() != phase) to.enter(phase);
            to.done = from.done.load();
            to.total = from.total.load();
            never.wait_for(lock, stop, 100ms, [] { return false; });
        }
    }

    std::jthread thread_;
};

}  // namespace steward
