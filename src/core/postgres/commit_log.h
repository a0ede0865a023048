// pg_xact: which transactions committed.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>

#include "core/base/bytes.h"

namespace steward {

enum class TransactionStatus { kInProgress = 0, kCommitted = 1, kAborted = 2, kSubCommitted = 3 };

/// Reads the commit log of a cluster that was shut down: then all of it is on disk (src/backend/access/transam/clog.c, 13 to 19).
class CommitLog {
public:
    explicit CommitLog(std::filesystem::path data_directory) : directory_(std::move(data_directory) / "pg_xact") {}

    /// The status of a transaction, or nothing when the log does not reach back to it: then whatever is still there of it is frozen or has
    /// hint bits. Reads a file of at most 256 kB the first time.
    std::optional<TransactionStatus> status_of(uint32_t xid);

private:
    std::filesystem::path directory_;
    std::map<uint32_t, Bytes> segments_;  ///< by number; empty where there is no file
};

}  // namespace steward
