// How much of the machine's processors a job in the background takes.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string_view>

namespace steward {

/// What all processors together did since the machine started. Time that a hypervisor gave to other machines is in neither.
struct ProcessorTimes {
    std::chrono::nanoseconds busy{0};
    std::chrono::nanoseconds idle{0};  ///< also while something waited for a disk
};

/// Read the line of all processors, the first one in /proc/stat. Nothing when `stat` does not begin with it.
std::optional<ProcessorTimes> parse_processor_times(std::string_view stat, std::chrono::nanoseconds tick);

/// The part of all processors, from 0 to 1, that a job may take while others take `others`: as much as leaves them that once more, and never
/// less than `least`. What is idle says little by itself: who asks a server and waits for each answer leaves processors idle, and is slowed
/// down by whoever takes them. Pure.
double allowed_share(double least, double others);

/// Where a ProcessorShare learns what happens, and how it waits. Called from many threads at once.
class ProcessorMeter {
public:
    virtual ~ProcessorMeter() = default;
    /// A clock that only goes forward.
    virtual std::chrono::steady_clock::time_point now() = 0;
    /// Processor time that this process has used, all threads together.
    virtual std::chrono::nanoseconds used() = 0;
    /// Nothing when the system does not tell.
    virtual std::optional<ProcessorTimes> times() = 0;
    virtual unsigned processors() const = 0;
    /// Offer the processor to those who wait for it.
    virtual void yield() = 0;
    virtual void wait(std::chrono::nanoseconds duration) = 0;
};

/// That of the machine. In a container with a quota the kernel tells of the whole machine all the same.
class SystemProcessorMeter final : public ProcessorMeter {
public:
    std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::now(); }
    std::chrono::nanoseconds used() override;
    std::optional<ProcessorTimes> times() override;
    unsigned processors() const override;
    void yield() override;
    void wait(std::chrono::nanoseconds duration) override;
};

/// Holds the threads of this process to their share (decision 0010). Thread-safe.
class ProcessorShare {
public:
    /// `least`: the part of all processors, above 0 and up to 1, that is taken however busy the machine is. `meter` outlives this. Where the
    /// system does not tell what others do, nothing is held back.
    ProcessorShare(double least, ProcessorMeter& meter);

    /// Between two steps of some ten microseconds: offer the processor, and wait when this process has taken more than its share.
    void step_done();

private:
    using Time = std::chrono::steady_clock::time_point;
    using Nanoseconds = std::chrono::nanoseconds;

    Nanoseconds account(Time now);
    void look(Time now, Nanoseconds use);

    const double least_;
    ProcessorMeter& meter_;
    std::atomic<Time> next_account_;

    std::mutex mutex_;  ///< of what follows
    double allowed_ = 1;
    Nanoseconds credit_{0};  ///< processor time that may be used at once; negative: was used too much
    Time accounted_;
    Nanoseconds accounted_use_;
    Time looked_;
    Nanoseconds looked_use_;
    std::optional<ProcessorTimes> looked_times_;
};

}  // namespace steward
