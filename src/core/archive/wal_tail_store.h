// The continuous tail: what has been written to the unfinished WAL segment, stored piece by piece in one repository.
//
// Of each segment, in the order in which the server writes them:
//
//   waiting    a segment before it, or its timeline's history, is neither stored nor given up. Its own bytes would be behind a hole, so none are stored
//   adopting   pieces of a former engine are compared with the file; where they disagree all are removed
//   growing    each call adds a piece that ends at the flush position it was given
//   finished   the server went on to the next segment. When the archiver has stored the whole one, the pieces go
//
// The bytes before the flush position never change: also after a crash the server goes on behind them. What is behind it may be the
// content of a recycled file, so no piece ends elsewhere. The whole segment, once stored, counts alone: pieces that disagree with it
// (a power cut with fsync = off) are removed with the others.
//
// A slow server would leave thousands of pieces. Whenever kMergeRun of them, each made of equally many, are the last ones,
// they are replaced by one: n pieces stored cost at most 1 + log16(n) times their bytes, and 15 of each size remain.
#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/postgres/wal_name.h"
#include "core/repository/repository.h"
#include "core/repository/wal_tail.h"

namespace steward {

/// Up to where a primary server's WAL is on its disk.
struct FlushPosition {
    TimelineId timeline = 0;
    Lsn lsn;
};

enum class TailOutcome {
    kCaughtUp,  ///< everything up to the position is stored
    kWaiting,   ///< for an earlier segment to be stored; call again then
};

/// Keeps the tail of one repository. For one thread; borrows what it is given for its lifetime.
class WalTailStore {
public:
    static constexpr size_t kMergeRun = 16;
    /// Larger pieces are neither stored nor merged: a piece is held in memory, compressed.
    static constexpr uint32_t kLargestPiece = 32 * 1024 * 1024;

    WalTailStore(std::filesystem::path data_directory, const Repository& repository, Compression compression, const Clock& clock, Log& log)
        : data_directory_(std::move(data_directory)), repository_(repository), compression_(compression), clock_(clock), log_(log) {}

    /// Store what the server has written up to `position` since last time, and remove the pieces of segments that are stored whole.
    /// Durable on return. Errors: by errno for pg_wal; as Repository::store and Storage::remove. After an error the next call finds out
    /// what is there.
    Result<TailOutcome> advance(const FlushPosition& position);

    /// Up to here everything is stored, whole segments and tail together; zero before the first time it is known.
    Lsn reached() const { return reached_; }
    /// When the end of it was stored; nothing before this object stored anything.
    std::optional<TimePoint> stored_at() const { return stored_at_; }

private:
    struct Piece {
        TailPiece range;
        int level = 0;  ///< how often what is in it was merged
    };

    Result<TailOutcome> advance_known(const FlushPosition& position);
    Result<void> begin(const FlushPosition& position);
    void enter(WalSegmentName segment);
    Result<TailOutcome> settle_finished();
    Result<void> adopt(uint32_t end);
    Result<bool> agrees(TailPiece piece, uint32_t end) const;
    Result<bool> grow(uint32_t end);
    Result<bool> store(TailPiece piece);
    Result<void> merge();
    Result<void> remove(WalSegmentName segment, std::span<const TailPiece> pieces) const;

    bool is_marked_ready(const std::string& name) const;
    Result<bool> is_stored(WalSegmentName segment) const;
    Result<std::optional<BuiltObject>> build(TailPiece piece) const;
    std::filesystem::path path_of_current() const;
    std::string name_of(WalSegmentName segment) const { return to_string(segment, segment_size()); }
    uint32_t segment_size() const { return repository_.identity().wal_segment_size; }
    uint32_t stored_end() const { return pieces_.empty() ? 0 : pieces_.back().range.end; }

    const std::filesystem::path data_directory_;
    const Repository& repository_;
    const Compression compression_;
    const Clock& clock_;
    Log& log_;

    std::optional<WalSegmentName> current_;  ///< nothing: what is there must be found out
    bool adopted_ = false;                   ///< whether pieces_ is what the repository holds of current_
    std::vector<Piece> pieces_;
    std::deque<WalSegmentName> finished_;    ///< segments before current_ that are not known to be stored
    std::set<WalSegmentName> tails_;         ///< segments of which there may be pieces
    Lsn reached_;
    std::optional<TimePoint> stored_at_;
};

}  // namespace steward
