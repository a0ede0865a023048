#include "core/restore/wal_tail_fetch.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/repository/wal_tail.h"
#include "core/restore/wal_fetch.h"

namespace steward {

namespace {

/// Pieces of one segment, by repository.
using Listing = std::vector<std::vector<TailPiece>>;

Result<Listing> list_everywhere(std::span<const Repository> repositories, const std::string& name) {
    Listing listing;
    for (const Repository& repository : repositories) {
        Result<std::vector<TailPiece>> pieces = list_tail_pieces(repository, name);
        if (!pieces.ok())
            return std::move(pieces).error().context(formatted("while looking for the tail of WAL segment \"{}\" in repository \"{}\"", name, repository.url()));
        listing.push_back(std::move(pieces).value());
    }
    return listing;
}

bool is_empty(const Listing& listing) {
    return std::ranges::all_of(listing, [](const std::vector<TailPiece>& pieces) { return pieces.empty(); });
}

/// Puts one segment together. Pieces that fail are left out: another one may hold the same bytes.
class Assembly {
public:
    Assembly(std::span<const Repository> repositories, std::string name, Listing listing)
        : repositories_(repositories), name_(std::move(name)), listing_(std::move(listing)) {}

    /// The bytes of the tail. Errors: the first one of a piece that nothing could replace.
    Result<Bytes> run() {
        for (;;) {
            const std::optional<size_t> repository = furthest();
            // A piece that failed and would have led further: what it held is missing.
            if (!repository) return failure_ && failed_end_ > content_.size() ? Result<Bytes>(std::move(*failure_)) : Result<Bytes>(std::move(content_));
            append(*repository);
        }
    }

private:
    /// The repository with the piece that leads furthest, which becomes chosen_.
    std::optional<size_t> furthest() {
        std::optional<size_t> found;
        for (size_t i = 0; i < listing_.size(); ++i)
            for (const TailPiece& piece : listing_[i])
                if (piece.begin <= content_.size() && piece.end > content_.size() && (!found || piece.end > chosen_.end)) {
                    found = i;
                    chosen_ = piece;
                }
        return found;
    }

    void append(size_t repository) {
        const std::string key = repositories_[repository].layout().wal_tail(name_, chosen_.begin, chosen_.end);
        Result<Bytes> piece = repositories_[repository].load(key, ObjectKind::kWalTail);
        if (piece.ok() && piece->size() == chosen_.size()) {
            content_.insert(content_.end(), piece->begin() + static_cast<ptrdiff_t>(content_.size() - chosen_.begin), piece->end());
            return;
        }
        Error error = piece.ok() ? Error(ErrorCode::corrupt_object, formatted("object \"{}\" holds {} bytes instead of {}", key, piece->size(), chosen_.size()))
                                       .object(key)
                                 : std::move(piece).error();
        failed_end_ = std::max<size_t>(failed_end_, chosen_.end);
        if (!failure_) failure_ = std::move(error).context(formatted("while putting WAL segment \"{}\" together from its tail", name_));
        std::erase(listing_[repository], chosen_);
    }

    std::span<const Repository> repositories_;
    std::string name_;
    Listing listing_;
    Bytes content_;
    TailPiece chosen_;
    std::optional<Error> failure_;
    size_t failed_end_ = 0;
};

FetchedSegment fill_up(Bytes tail, uint32_t segment_size) {
    const auto end = static_cast<uint32_t>(tail.size());
    tail.resize(segment_size);
    std::fill(tail.begin() + end, tail.end(), std::byte{0});
    return {std::move(tail), end};
}

std::optional<FetchedSegment> whole(std::optional<FetchedFile> file) {
    if (!file) return std::nullopt;
    return FetchedSegment{std::move(file->content), std::nullopt};
}

Result<std::optional<TimelineHistory>> fetch_history(std::span<const Repository> repositories, TimelineId timeline) {
    TRY_ASSIGN(const std::optional<FetchedFile> file, fetch_wal_file(repositories, timeline_history_name(timeline)));
    if (!file) return std::optional<TimelineHistory>();
    TRY_ASSIGN(TimelineHistory history, parse_timeline_history(timeline, as_text(file->content)));
    return std::optional(std::move(history));
}

/// The history that recovery follows: that of `followed`, or of the newest timeline that the server would find
/// (findNewestTimeLine in timeline.c) among those that include `own`.
Result<TimelineHistory> followed_history(std::span<const Repository> repositories, TimelineId own, std::optional<TimelineId> followed) {
    TimelineHistory newest(followed.value_or(own));
    if (followed) {
        TRY_ASSIGN(std::optional<TimelineHistory> history, fetch_history(repositories, *followed));
        return history ? std::move(*history) : newest;
    }
    for (TimelineId timeline = own + 1;; ++timeline) {
        TRY_ASSIGN(std::optional<TimelineHistory> history, fetch_history(repositories, timeline));
        if (!history) return newest;
        if (history->includes(own)) newest = std::move(*history);
    }
}

}  // namespace

Result<std::optional<FetchedSegment>> fetch_segment(std::span<const Repository> repositories, const std::string& name) {
    constexpr int kAttempts = 5;
    TRY_ASSIGN(std::optional<FetchedFile> file, fetch_wal_file(repositories, name));
    for (int attempt = 0; attempt < kAttempts; ++attempt) {
        if (file) return whole(std::move(file));
        TRY_ASSIGN(const Listing before, list_everywhere(repositories, name));
        Result<Bytes> tail = Assembly(repositories, name, before).run();
        TRY_ASSIGN(const Listing after, list_everywhere(repositories, name));
        // Pieces go once the whole segment is there, and when they are merged: then what was found of them proves nothing.
        TRY_ASSIGN(file, fetch_wal_file(repositories, name));
        if (file || before != after) continue;
        if (!tail.ok()) return std::move(tail).error();
        if (is_empty(before) || tail->empty()) return std::optional<FetchedSegment>();
        return std::optional(fill_up(std::move(tail).value(), repositories.front().identity().wal_segment_size));
    }
    if (file) return whole(std::move(file));
    return Error(ErrorCode::busy, formatted("the tail of WAL segment \"{}\" changes while it is read", name)).object(name);
}

Result<uint32_t> tail_limit(std::span<const Repository> repositories, WalSegmentName segment, std::optional<TimelineId> followed) {
    const uint32_t size = repositories.front().identity().wal_segment_size;
    TRY_ASSIGN(const TimelineHistory history, followed_history(repositories, segment.timeline, followed));
    // The server knows better why it wants a timeline that is not on the way.
    if (!history.includes(segment.timeline)) return size;
    TRY_ASSIGN(const std::optional<Lsn> end, history.end_of(segment.timeline));
    const Lsn start = start_lsn(segment.segment_number, size);
    if (!end || *end >= start + size) return size;
    return *end <= start ? 0 : static_cast<uint32_t>(*end - start);
}

}  // namespace steward
