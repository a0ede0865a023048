// The continuous tail of all repositories, each on a thread of its own: one that is slow or fails holds up neither the others nor the
// archiving of whole segments.
#pragma once

#include <chrono>
#include <condition_variable>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "core/archive/wal_tail_store.h"
#include "core/protocol/messages.h"

namespace steward {

struct TailOptions {
    std::filesystem::path data_directory;
    Compression compression;
    std::chrono::milliseconds retry_pause{10'000};  ///< after a failure
};

/// Owns its threads; everything borrowed outlives it. Thread-safe.
class WalTailArchiver {
public:
    WalTailArchiver(TailOptions options, std::span<const Repository> repositories, const Clock& clock, Log& log);
    /// Waits for the pieces on their way.
    ~WalTailArchiver();

    /// The server has flushed its WAL up to here: store what is new. Returns at once.
    void advance(const FlushPosition& position);

    /// A whole segment was stored: a tail that waits for it goes on. Returns at once.
    void segment_stored();

    /// Fill in the members of each repository that are about the tail, and add its failures. `status` is of the same repositories.
    void describe(WalStatusMessage& status) const;

private:
    class Worker;
    std::vector<std::unique_ptr<Worker>> workers_;
};

}  // namespace steward
