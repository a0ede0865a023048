// How work in the background shares a processor.
#pragma once

#include <algorithm>
#include <cstddef>

namespace steward {

class ProcessorShare;

/// Niceness says how much of a busy processor a thread gets, and not how soon one that wakes up gets it: Linux since 6.6 lets the
/// thread that runs finish its slice of milliseconds, however nice it is, and a transaction waits for a processor several times. A
/// considerate thread works in steps of some ten microseconds, offers the processor after each, and is held to a share (decision 0010).
class Pace {
public:
    static Pace full() { return Pace(nullptr); }
    /// `share` outlives the pace and its copies.
    static Pace considerate(ProcessorShare& share) { return Pace(&share); }

    bool is_considerate() const { return share_ != nullptr; }

    /// How many of `wanted` bytes to take in one step that costs a nanosecond a byte or less, such as reading and digesting.
    size_t light_step(size_t wanted) const { return is_considerate() ? std::min(wanted, kLightStep) : wanted; }

    static constexpr size_t kLightStep = 64 * 1024;
    /// Bytes to compress in one step by a considerate thread.
    static constexpr size_t kHeavyStep = 16 * 1024;

    /// Between two steps: let those run who wait for this processor, and wait when the share is used up.
    void step_done() const;

private:
    explicit Pace(ProcessorShare* share) : share_(share) {}

    ProcessorShare* share_;
};

}  // namespace steward
