// How far long work has come, to be looked at from another thread.
#pragma once

#include <atomic>
#include <cstdint>

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

}  // namespace steward
