// When the operator's limit tells to give up WAL, and which (steward.archive_queue_limit).
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace steward {

/// Files that are to wait no longer.
struct GivenUpFiles {
    std::vector<std::string> segments;   ///< oldest first; lost for the repository
    std::vector<std::string> others;     ///< backup histories and partial segments that stand before the last of them; lost too, and needed by no restore
    std::vector<std::string> histories;  ///< timeline histories, which the server keeps: to be stored later

    bool empty() const { return segments.empty(); }
};

/// Watches the length of the queue. Pure but for what it remembers. For one thread.
///
/// A queue beyond the limit is cut only when it has not become shorter for kPatience: one that is worked off, after an outage or a
/// restart, loses nothing. So it may be exceeded by the WAL that is written in that time. The oldest goes first: what recovery
/// needs after the gap is a new backup and the WAL from there on.
class QueueLimit {
public:
    static constexpr std::chrono::seconds kPatience{10};

    /// @param limit  bytes; 0: none
    QueueLimit(uint64_t limit, uint32_t wal_segment_size) : limit_(limit), wal_segment_size_(wal_segment_size) {}

    /// Return what is to be given up now. `waiting` is in the order of archiving (sort_for_archiving). The server archives in that order
    /// and no file before the one ahead of it, so everything ahead of a segment that goes is in the result.
    GivenUpFiles look(std::span<const std::string> waiting, std::chrono::steady_clock::time_point now);

private:
    const uint64_t limit_;
    const uint32_t wal_segment_size_;
    struct Excess {
        uint64_t fewest;  ///< segments since it is beyond the limit
        std::chrono::steady_clock::time_point since;  ///< when there were first so few
    };
    std::optional<Excess> excess_;
};

}  // namespace steward
