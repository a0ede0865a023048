// How far long work has come, to be looked at from another thread.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string>

namespace steward {

/// Written by the work, read by whoever shows it; every member stands for itself.
struct RestoreProgress {
    std::atomic<const char*> phase{"starting"};  ///< a literal: "restoring files"
    std::atomic<uint64_t> total{0};              ///< bytes, or segments while scanning; 0 when unknown
    std::atomic<uint64_t> done{0};
    std::atomic<bool> in_bytes{true};

    void begin(const char* name, uint64_t amount, bool bytes) {
        done = 0;
        total = amount;
        in_bytes = bytes;
        phase = name;
    }
};

/// One look at the progress.
struct ProgressSample {
    const char* phase;
    uint64_t total;
    uint64_t done;
    bool in_bytes;
};

/// Look at the progress; from any thread.
ProgressSample sample(const RestoreProgress& progress);

/// "restoring files: 42%, 1.2 GB of 2.9 GB, 310 MB/s, 6 s left", for bar and lines. `elapsed` is the time since the phase began; what is
/// left is reckoned from it when it is long enough to tell. Pure.
std::string describe(const ProgressSample& progress, std::chrono::milliseconds elapsed);

}  // namespace steward
