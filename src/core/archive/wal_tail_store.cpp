#include "core/archive/wal_tail_store.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <ranges>
#include <system_error>

#include "core/archive/ready_files.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/timeline.h"

namespace steward {

namespace {

/// Whether `path` still leads to the open file: a segment that is recycled gets another name before it is written to.
bool is_still(const UniqueFd& fd, const std::filesystem::path& path) {
    struct stat opened, named;
    return ::fstat(fd.get(), &opened) == 0 && ::stat(path.c_str(), &named) == 0 && opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

}  // namespace

Result<TailOutcome> WalTailStore::advance(const FlushPosition& position) {
    Result<TailOutcome> outcome = advance_known(position);
    // What was done of it is not known: a put or a removal whose answer was lost has happened.
    if (!outcome.ok()) adopted_ = false;
    return outcome;
}

Result<TailOutcome> WalTailStore::advance_known(const FlushPosition& position) {
    const WalSegmentName segment{position.timeline, segment_of(position.lsn, segment_size())};
    if (!current_ || current_->timeline != segment.timeline || current_->segment_number > segment.segment_number) TRY(begin(position));
    if (*current_ != segment) enter(segment);
    TRY_ASSIGN(const TailOutcome before, settle_finished());
    if (before == TailOutcome::kWaiting) return before;

    const auto end = static_cast<uint32_t>(position.lsn - start_lsn(segment.segment_number, segment_size()));
    if (!adopted_) TRY(adopt(end));
    TRY_ASSIGN(const bool grown, grow(end));
    reached_ = start_lsn(segment.segment_number, segment_size()) + stored_end();
    if (!grown) return TailOutcome::kWaiting;
    TRY(merge());
    return TailOutcome::kCaughtUp;
}

/// Find out where to go on: after the engine's start and after a change of the timeline.
Result<void> WalTailStore::begin(const FlushPosition& position) {
    const WalSegmentName segment{position.timeline, segment_of(position.lsn, segment_size())};
    TRY_ASSIGN(const std::vector<std::string> ready, list_ready_files(data_directory_ / "pg_wal" / "archive_status"));
    finished_.clear();
    for (const std::string& name : ready) {
        const Result<WalSegmentName> waiting = parse_wal_segment_name(name, segment_size());
        if (waiting.ok() && waiting->segment_number < segment.segment_number) finished_.push_back(*waiting);
    }
    TRY_ASSIGN(const std::vector<WalTail> tails, list_wal_tails(repository_));
    tails_.clear();
    for (const WalTail& tail : tails) {
        tails_.insert(tail.segment);
        if (tail.segment == segment) continue;
        TRY_ASSIGN(const bool stored, is_stored(tail.segment));
        if (!stored) continue;
        TRY(remove(tail.segment, tail.pieces));
        tails_.erase(tail.segment);
    }
    current_ = segment;
    adopted_ = false;
    pieces_.clear();
    return {};
}

/// The server has gone on to `segment`, which is on the same timeline and later.
void WalTailStore::enter(WalSegmentName segment) {
    for (WalSegmentName passed = *current_; passed != segment; passed = passed.next()) finished_.push_back(passed);
    current_ = segment;
    adopted_ = false;
    pieces_.clear();
}

/// See which finished segments are stored by now, oldest first, and remove their pieces.
Result<TailOutcome> WalTailStore::settle_finished() {
    // Without its history nobody knows where the timeline came from, and recovery does not get to its tail.
    if (is_marked_ready(timeline_history_name(current_->timeline))) return TailOutcome::kWaiting;
    while (!finished_.empty()) {
        const WalSegmentName segment = finished_.front();
        // In this order: the server takes the mark away after the segment was stored.
        const bool is_awaited = is_marked_ready(name_of(segment));
        TRY_ASSIGN(const bool stored, is_stored(segment));
        if (!stored && is_awaited) return TailOutcome::kWaiting;
        if (stored && tails_.contains(segment)) {
            TRY_ASSIGN(const std::vector<TailPiece> pieces, list_tail_pieces(repository_, name_of(segment)));
            TRY(remove(segment, pieces));
            tails_.erase(segment);
        }
        if (stored) reached_ = std::max(reached_, start_lsn(segment.segment_number + 1, segment_size()));
        // Neither stored nor awaited: it was given up, and its pieces are all there is of it.
        finished_.pop_front();
    }
    return TailOutcome::kCaughtUp;
}

/// Take over what an engine before this one, or this one before an error, has stored of the current segment.
Result<void> WalTailStore::adopt(uint32_t end) {
    pieces_.clear();
    const std::string name = name_of(*current_);
    TRY_ASSIGN(const std::vector<TailPiece> found, list_tail_pieces(repository_, name));
    const std::vector<TailPiece> chain = chain_of(found);
    bool agree = true;
    for (const TailPiece& piece : chain) {
        if (!agree) break;
        TRY_ASSIGN(agree, agrees(piece, end));
    }
    std::vector<TailPiece> useless;
    for (const TailPiece& piece : found)
        if (!agree || std::ranges::find(chain, piece) == chain.end()) useless.push_back(piece);
    TRY(remove(*current_, useless));
    if (agree)
        for (const TailPiece& piece : chain) pieces_.push_back({piece, 0});
    else
        log_.info("tail_replaced", formatted("the tail of WAL segment \"{}\" in repository \"{}\" does not agree with pg_wal and is stored anew", name,
                                             repository_.url()));
    adopted_ = true;
    return {};
}

/// Whether the stored piece is whole, lies before `end` and has the content of the server's file.
Result<bool> WalTailStore::agrees(TailPiece piece, uint32_t end) const {
    if (piece.end > end) return false;
    const std::string key = repository_.layout().wal_tail(name_of(*current_), piece.begin, piece.end);
    const Result<ObjectHead> head = repository_.load_head(key, ObjectKind::kWalTail);
    if (!head.ok() && head.error().code() == ErrorCode::corrupt_object) return false;
    if (!head.ok()) return head.error();
    TRY_ASSIGN(const UniqueFd fd, open_file(path_of_current(), O_RDONLY));
    Bytes content(piece.size());
    TRY_ASSIGN(const size_t n, read_at(fd.get(), piece.begin, content, path_of_current()));
    return n == content.size() && content_digest_of(content) == head->content_digest;
}

/// Store what is missing up to `end`. False when the file has gone, so that there is nothing to read any more.
Result<bool> WalTailStore::grow(uint32_t end) {
    while (stored_end() < end) {
        const TailPiece piece{stored_end(), std::min(end, stored_end() + kLargestPiece)};
        TRY_ASSIGN(const bool stored, store(piece));
        if (!stored) return false;
        pieces_.push_back({piece, 0});
        stored_at_ = clock_.now();
    }
    return true;
}

Result<bool> WalTailStore::store(TailPiece piece) {
    TRY_ASSIGN(const std::optional<BuiltObject> object, build(piece));
    if (!object) return false;
    const std::string name = name_of(*current_);
    tails_.insert(*current_);
    const Result<StoreOutcome> stored = repository_.store(repository_.layout().wal_tail(name, piece.begin, piece.end), *object, ObjectKind::kWalTail);
    if (!stored.ok()) return Error(stored.error()).context(formatted("while storing the tail of WAL segment \"{}\"", name));
    return true;
}

/// Replace the last pieces by one, as long as there are kMergeRun of the same level.
Result<void> WalTailStore::merge() {
    for (;;) {
        if (pieces_.empty()) return {};
        const int level = pieces_.back().level;
        const auto other = std::ranges::find_if(std::views::reverse(pieces_), [&](const Piece& piece) { return piece.level != level; });
        const auto first = static_cast<size_t>(other.base() - pieces_.begin());
        const TailPiece whole{pieces_[first].range.begin, stored_end()};
        if (pieces_.size() - first < kMergeRun || whole.size() > kLargestPiece) return {};
        TRY_ASSIGN(const bool stored, store(whole));
        if (!stored) return {};
        std::vector<TailPiece> merged;
        for (size_t i = first; i < pieces_.size(); ++i) merged.push_back(pieces_[i].range);
        TRY(remove(*current_, merged));
        pieces_.resize(first);
        pieces_.push_back({whole, level + 1});
    }
}

Result<void> WalTailStore::remove(WalSegmentName segment, std::span<const TailPiece> pieces) const {
    for (const TailPiece& piece : pieces) TRY(repository_.storage().remove(repository_.layout().wal_tail(name_of(segment), piece.begin, piece.end)));
    return {};
}

/// One whose mark cannot be looked for counts as marked.
bool WalTailStore::is_marked_ready(const std::string& name) const {
    std::error_code problem;
    return std::filesystem::exists(data_directory_ / "pg_wal" / "archive_status" / (name + ".ready"), problem) || problem;
}

Result<bool> WalTailStore::is_stored(WalSegmentName segment) const {
    TRY_ASSIGN(const std::optional<ObjectInfo> found, repository_.storage().stat(repository_.layout().wal(name_of(segment))));
    return found.has_value();
}

/// Nothing when the server does not have the file any more.
Result<std::optional<BuiltObject>> WalTailStore::build(TailPiece piece) const {
    const std::filesystem::path path = path_of_current();
    const Result<UniqueFd> fd = open_file(path, O_RDONLY);
    if (!fd.ok() && fd.error().code() == ErrorCode::not_found) return std::optional<BuiltObject>();
    if (!fd.ok()) return fd.error();
    ObjectBuilder builder(compression_);
    while (builder.position() < piece.size()) {
        const MutableByteView room = builder.room();
        const size_t wanted = std::min<size_t>(room.size(), piece.size() - builder.position());
        TRY_ASSIGN(const size_t n, read_at(fd->get(), piece.begin + builder.position(), room.first(wanted), path));
        if (n == 0) return Error(ErrorCode::corrupt_object, formatted("WAL segment \"{}\" ends before the flush position", path.native())).object(path.native());
        builder.filled(n);
    }
    if (!is_still(*fd, path)) return std::optional<BuiltObject>();
    return std::optional(builder.finish(ObjectKind::kWalTail, repository_.identity().system_identifier));
}

std::filesystem::path WalTailStore::path_of_current() const { return data_directory_ / "pg_wal" / name_of(*current_); }

}  // namespace steward
