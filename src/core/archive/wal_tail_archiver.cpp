#include "core/archive/wal_tail_archiver.h"

#include <algorithm>

namespace steward {

using std::chrono::steady_clock;

namespace {

int64_t to_us(TimePoint time) { return time.time_since_epoch().count(); }

}  // namespace

/// One repository's tail and the thread that stores it.
class WalTailArchiver::Worker {
public:
    Worker(const TailOptions& options, const Repository& repository, const Clock& clock, Log& log)
        : retry_pause_(options.retry_pause),
          clock_(clock),
          log_(log),
          store_(options.data_directory, repository, options.compression, clock, log),
          thread_([this](const std::stop_token& stop) { work(stop); }) {}

    void advance(const FlushPosition& position) {
        const std::lock_guard lock(mutex_);
        position_ = position;
        due_ = steady_clock::now();
        changed_.notify_all();
    }

    void segment_stored() {
        const std::lock_guard lock(mutex_);
        if (!is_waiting_) return;
        due_ = steady_clock::now();
        changed_.notify_all();
    }

    void stop() { thread_.request_stop(); }

    void describe(WalRepositoryStatus& status) const {
        const std::lock_guard lock(mutex_);
        status.tail_lsn = reached_.value;
        status.tail_stored_us = stored_at_ ? to_us(*stored_at_) : 0;
        status.failures += failures_;
        if (failed_us_ > status.last_error_us) {
            status.last_error = last_error_;
            status.last_error_us = failed_us_;
        }
    }

private:
    void work(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (wait_until_due(stop, lock)) {
            const FlushPosition position = *position_;
            due_ = steady_clock::time_point::max();
            // A segment that is stored from here on may be the one that is found missing.
            is_waiting_ = true;
            lock.unlock();
            const Result<TailOutcome> outcome = store_.advance(position);
            lock.lock();
            note(outcome);
        }
    }

    /// False when it is time to stop.
    bool wait_until_due(const std::stop_token& stop, std::unique_lock<std::mutex>& lock) {
        for (;;) {
            if (stop.stop_requested()) return false;
            const auto due = due_;
            if (due <= steady_clock::now()) return true;
            if (due == steady_clock::time_point::max())
                changed_.wait(lock, stop, [&] { return due_ != due; });
            else
                changed_.wait_until(lock, stop, due, [&] { return due_ < due; });
        }
    }

    void note(const Result<TailOutcome>& outcome) {
        reached_ = store_.reached();
        stored_at_ = store_.stored_at();
        is_waiting_ = !outcome.ok() || *outcome == TailOutcome::kWaiting;
        if (is_waiting_) due_ = std::min(due_, steady_clock::now() + retry_pause_);
        if (outcome.ok()) {
            logged_.clear();
            return;
        }
        failures_++;
        last_error_ = outcome.error().message();
        failed_us_ = to_us(clock_.now());
        // An error that lasts is logged once.
        if (logged_ != last_error_) log_.warning("tail_failed", outcome.error());
        logged_ = last_error_;
    }

    const std::chrono::milliseconds retry_pause_;
    const Clock& clock_;
    Log& log_;
    WalTailStore store_;  ///< the thread's

    mutable std::mutex mutex_;
    std::condition_variable_any changed_;
    std::optional<FlushPosition> position_;
    steady_clock::time_point due_ = steady_clock::time_point::max();
    bool is_waiting_ = false;
    Lsn reached_;
    std::optional<TimePoint> stored_at_;
    uint64_t failures_ = 0;
    std::string last_error_;
    std::string logged_;
    int64_t failed_us_ = 0;
    std::jthread thread_;
};

WalTailArchiver::WalTailArchiver(TailOptions options, std::span<const Repository> repositories, const Clock& clock, Log& log) {
    for (const Repository& repository : repositories) workers_.push_back(std::make_unique<Worker>(options, repository, clock, log));
}

WalTailArchiver::~WalTailArchiver() {
    for (const auto& worker : workers_) worker->stop();
}

void WalTailArchiver::advance(const FlushPosition& position) {
    for (const auto& worker : workers_) worker->advance(position);
}

void WalTailArchiver::segment_stored() {
    for (const auto& worker : workers_) worker->segment_stored();
}

void WalTailArchiver::describe(WalStatusMessage& status) const {
    for (size_t i = 0; i < std::min(status.repositories.size(), workers_.size()); ++i) workers_[i]->describe(status.repositories[i]);
}

}  // namespace steward
