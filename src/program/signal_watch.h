// SIGINT and SIGTERM as a request to stop in an orderly way.
#pragma once

#include <signal.h>

#include <atomic>
#include <thread>

#include "core/base/cancel.h"

namespace steward {

/// Waits for the signals on a thread of its own; the second one ends the process at once. Made before any other thread, which
/// all have the signals blocked then.
class SignalWatch {
public:
    SignalWatch();
    ~SignalWatch();
    SignalWatch(const SignalWatch&) = delete;
    SignalWatch& operator=(const SignalWatch&) = delete;

    CancelToken cancel() const { return stop_.get_token(); }

private:
    void watch();

    sigset_t signals_;
    std::atomic<bool> finished_{false};
    CancelSource stop_;
    std::jthread thread_;
};

}  // namespace steward
