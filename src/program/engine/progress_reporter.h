// Tells the worker how far an engine is.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <thread>
#include <utility>

#include "program/engine/engine_link.h"

namespace steward {

/// Sends the message that `make` returns whenever it differs from the one before, from a thread of its own, until it goes.
template <typename Make>
class ProgressReporter {
public:
    /// `link` outlives this. `make` is called on another thread.
    ProgressReporter(EngineLink& link, Make make) : thread_([&link, make = std::move(make)](std::stop_token stop) { report(link, make, stop); }) {}

private:
    static void report(EngineLink& link, const Make& make, std::stop_token stop) {
        using namespace std::chrono_literals;
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        std::string last;
        while (!stop.stop_requested()) {
            const auto message = make();
            if (std::string text = render_message(message); text != last) {
                link.send(message);
                last = std::move(text);
            }
            never.wait_for(lock, stop, 200ms, [] { return false; });
        }
    }

    std::jthread thread_;
};

}  // namespace steward
