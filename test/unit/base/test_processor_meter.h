// Processors in which nothing takes time but what a test says.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>

#include "core/base/processor_share.h"

namespace steward {

/// Between two yields lies a step in which the process uses 50 microseconds of one processor; it takes longer where others leave less than a
/// whole one. What others use is `others`, a part of all processors, below 1.
class TestProcessorMeter final : public ProcessorMeter {
public:
    explicit TestProcessorMeter(unsigned processors = 2, double others = 0) : processors_(processors), others_(others) {}

    std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::time_point(locked(now_)); }
    std::chrono::nanoseconds used() override { return locked(used_); }
    std::optional<ProcessorTimes> times() override {
        const std::lock_guard lock(mutex_);
        if (silent_) return std::nullopt;
        const std::chrono::nanoseconds busy = used_ + std::chrono::nanoseconds(static_cast<int64_t>(of_others_));
        return ProcessorTimes{busy, now_ * processors_ - busy};
    }
    unsigned processors() const override { return processors_; }
    void yield() override {
        const std::lock_guard lock(mutex_);
        ++yields_;
        used_ += kStep;
        const double free = std::min(1.0, (1 - others_) * processors_);
        pass(std::chrono::nanoseconds(static_cast<int64_t>(static_cast<double>(kStep.count()) / free)));
    }
    void wait(std::chrono::nanoseconds duration) override {
        const std::lock_guard lock(mutex_);
        waited_ += duration;
        pass(duration);
    }

    void let_others_use(double part) { others_ = part; }
    void tell_nothing() { silent_ = true; }
    size_t yields() const { return yields_; }
    std::chrono::nanoseconds waited() const { return waited_; }

private:
    static constexpr std::chrono::nanoseconds kStep{50'000};

    std::chrono::nanoseconds locked(const std::chrono::nanoseconds& value) {
        const std::lock_guard lock(mutex_);
        return value;
    }
    void pass(std::chrono::nanoseconds duration) {
        now_ += duration;
        of_others_ += static_cast<double>(duration.count()) * processors_ * others_;
    }

    const unsigned processors_;
    double others_;
    bool silent_ = false;
    std::mutex mutex_;
    std::chrono::nanoseconds now_{0}, used_{0}, waited_{0};
    double of_others_ = 0;
    size_t yields_ = 0;
};

}  // namespace steward
