// Keeps what waits to be archived within steward.archive_queue_limit, as the operator asked.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/archive/given_up_wal.h"
#include "core/archive/queue_limit.h"
#include "core/archive/wal_archiver.h"
#include "core/base/clock.h"
#include "program/engine/engine_link.h"

namespace steward {

/// For the engine's main thread. Everything borrowed outlives it.
class QueueGuard {
public:
    /// @param limit  bytes; 0: none
    QueueGuard(EngineLink& link, GivenUpWal& given_up, uint64_t limit, const ServerFacts& facts, const Clock& clock);

    /// Look at the queue and give up what is beyond the limit: first on the server's disk, then to the worker, which tells the archiver
    /// that it need not wait. `archiver` is nullptr while the repositories cannot be used.
    void look(WalArchiver* archiver);

    /// Tell the worker again that this file was given up, if it was.
    bool answers(const std::string& name) const;

private:
    std::optional<std::vector<std::string>> waiting(const WalArchiver* archiver) const;
    Result<void> give_up(const GivenUpFiles& files);
    void warn(const RecordedGap& gap) const;

    EngineLink& link_;
    GivenUpWal& given_up_;
    const uint64_t limit_;
    const uint32_t wal_segment_size_;
    const std::filesystem::path archive_status_;
    const Clock& clock_;
    QueueLimit queue_;
    std::string logged_;  ///< an error that lasts is logged once
};

}  // namespace steward
