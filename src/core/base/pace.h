// How work in the background shares a processor.
#pragma once

#include <sched.h>

#include <algorithm>
#include <cstddef>

namespace steward {

/// Niceness says how much of a busy processor a thread gets, and not how soon one that wakes up gets it: Linux since 6.6 lets the
/// thread that runs finish its slice of milliseconds, however nice it is, and a transaction waits for a processor several times. A
/// yielding thread works in steps of some ten microseconds and offers the processor after each (decision 0010).
class Pace {
public:
    static Pace full() { return Pace(false); }
    static Pace yielding() { return Pace(true); }

    bool yields() const { return yields_; }

    /// How many of `wanted` bytes to take in one step that costs a nanosecond a byte or less, such as reading and digesting.
    size_t light_step(size_t wanted) const { return yields_ ? std::min(wanted, kLightStep) : wanted; }

    /// Bytes to compress in one step by a yielding thread.
    static constexpr size_t kHeavyStep = 16 * 1024;

    /// Between two steps: let those run who wait for this processor. A system call of half a microsecond when nobody does.
    void step_done() const {
        if (yields_) ::sched_yield();
    }

private:
    static constexpr size_t kLightStep = 64 * 1024;

    explicit Pace(bool yields) : yields_(yields) {}

    bool yields_;
};

}  // namespace steward
