// WAL that this server gave up: what it owes the repositories' gap ledgers, and may not archive any more.
//
// The file pg_steward/given_up_wal.json of the data directory keeps it, since a repository that cannot take WAL cannot take the entry
// of its gap either. What is given up is in the file before the server is told that it may remove it, and goes from the file once every
// ledger has it.
#pragma once

#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/log.h"
#include "core/base/result.h"
#include "core/repository/gap_ledger.h"

namespace steward {

/// Thread-safe; one object for a data directory.
class GivenUpWal {
public:
    /// Read what the file of `data_directory` has; nothing when there is none. One that makes no sense is put aside with a warning:
    /// archiving must not end with it, and the gap watch finds what it named. Errors: by errno.
    static Result<std::unique_ptr<GivenUpWal>> open(const std::filesystem::path& data_directory, uint32_t wal_segment_size, Log& log);

    /// The ranges that the file of `data_directory` has, without a claim on it; nothing when there is none. Errors: corrupt_object; by errno.
    static Result<std::vector<RecordedGap>> peek(const std::filesystem::path& data_directory);

    /// Add ranges, and timeline histories that are owed. A range that follows the last one of its timeline without a hole extends it.
    /// Durable on return. Errors: by errno; nothing is added then.
    Result<void> add(std::span<const RecordedGap> gaps, std::span<const std::string> histories);

    /// The ranges, in the order in which they were given up.
    std::vector<RecordedGap> gaps() const;
    /// Timeline histories that the server's archiver was told to be stored and that still have to be.
    std::set<std::string> owed_histories() const;
    /// Whether the file of this name, a segment, was given up.
    bool covers(std::string_view name) const;

    /// Every ledger has these: forget those that are as they were. Errors: by errno; they are remembered then.
    Result<void> settle(std::span<const RecordedGap> gaps);
    /// This history is stored everywhere. Nothing happens when it was not owed. Errors: by errno.
    Result<void> settle_history(const std::string& name);

private:
    struct Content {
        std::vector<RecordedGap> gaps;
        std::set<std::string> histories;
    };

    GivenUpWal(std::filesystem::path file, uint32_t wal_segment_size, Content content)
        : file_(std::move(file)), wal_segment_size_(wal_segment_size), content_(std::move(content)) {}
    static std::optional<Content> parse(std::string_view text);
    /// Write `content` and take it over.
    Result<void> replace(Content content);

    const std::filesystem::path file_;
    const uint32_t wal_segment_size_;
    mutable std::mutex mutex_;
    Content content_;  ///< guarded by mutex_
};

/// The ranges that these segments make, in their order, as gaps of reason kDropped. Names that are no segments are left out.
std::vector<RecordedGap> dropped_ranges(std::span<const std::string> segments, uint32_t wal_segment_size, TimePoint now, const std::string& note);

}  // namespace steward
