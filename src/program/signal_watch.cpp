#include "program/signal_watch.h"

#include <pthread.h>
#include <unistd.h>

namespace steward {

SignalWatch::SignalWatch() {
    ::sigemptyset(&signals_);
    ::sigaddset(&signals_, SIGINT);
    ::sigaddset(&signals_, SIGTERM);
    ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    thread_ = std::jthread([this] { watch(); });
}

SignalWatch::~SignalWatch() {
    finished_ = true;
    ::pthread_kill(thread_.native_handle(), SIGTERM);
}

void SignalWatch::watch() {
    int signal = 0;
    while (::sigwait(&signals_, &signal) == 0 && !finished_) {
        if (stop_.stop_requested()) ::_exit(128 + signal);
        stop_.request_stop();
    }
}

}  // namespace steward
