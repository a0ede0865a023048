#include "core/restore/wal_get.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/archive/assembled_segment.h"
#include "core/base/file.h"
#include "core/base/format.h"
#include "core/restore/wal_fetch.h"
#include "core/restore/wal_tail_fetch.h"

namespace steward {

namespace {

/// Not flushed: the server flushes what it keeps (KeepFileRestoredFromArchive in xlogarchive.c).
Result<void> deliver(ByteView content, const std::filesystem::path& destination) {
    const std::filesystem::path pending = destination.native() + ".pg_steward.tmp";
    const auto write_and_rename = [&]() -> Result<void> {
        TRY_ASSIGN(const UniqueFd fd, open_file(pending, O_WRONLY | O_CREAT | O_TRUNC));
        TRY(write_all(fd.get(), content, pending));
        if (::rename(pending.c_str(), destination.c_str()) == 0) return {};
        return Error::from_errno(errno, formatted("could not rename file \"{}\" to \"{}\"", pending.native(), destination.native()))
            .object(destination.native());
    };
    Result<void> result = write_and_rename();
    if (!result.ok()) ::unlink(pending.c_str());
    return result;
}

/// Leave what counts for this recovery of a segment put together from its tail. False when nothing is left.
Result<bool> cut_tail(std::span<const Repository> repositories, WalSegmentName name, std::optional<TimelineId> followed, FetchedSegment& segment) {
    TRY_ASSIGN(const uint32_t limit, tail_limit(repositories, name, followed));
    const uint32_t end = std::min(*segment.tail_end, limit);
    std::fill(segment.content.begin() + end, segment.content.end(), std::byte{0});
    mark_as_assembled(segment.content, end);
    return end != 0;
}

Result<WalGetOutcome> get_segment(std::span<const Repository> repositories, WalSegmentName name, const std::filesystem::path& destination,
                                  WalSpool& spool, const WalGetOptions& options) {
    const Result<bool> spooled = spool.take(name, destination);
    static_cast<void>(spool.advance(name));
    if (spooled.ok() && *spooled) return WalGetOutcome::kDelivered;

    TRY_ASSIGN(std::optional<FetchedSegment> segment, fetch_segment(repositories, to_string(name, repositories.front().identity().wal_segment_size)));
    const bool is_whole = segment && !segment->tail_end;
    if (!is_whole) {
        if (options.unavailable) return *options.unavailable;
        spool.clear();
        if (!segment) return WalGetOutcome::kNotFound;
        TRY_ASSIGN(const bool counts, cut_tail(repositories, name, options.timeline, *segment));
        if (!counts) return WalGetOutcome::kNotFound;
    }
    TRY(deliver(segment->content, destination));
    return is_whole ? WalGetOutcome::kDelivered : WalGetOutcome::kDeliveredTail;
}

}  // namespace

Result<WalGetOutcome> get_wal(std::span<const Repository> repositories, const std::string& name, const std::filesystem::path& destination,
                              WalSpool& spool, const WalGetOptions& options) {
    const std::optional<WalFileKind> kind = classify_wal_file(name);
    if (!kind) return Error(ErrorCode::invalid_argument, formatted("\"{}\" is not the name of a WAL file", name)).object(name);
    if (repositories.empty()) return Error(ErrorCode::configuration, "no repository is configured");
    if (*kind == WalFileKind::kSegment) {
        TRY_ASSIGN(const WalSegmentName segment, parse_wal_segment_name(name, repositories.front().identity().wal_segment_size));
        return get_segment(repositories, segment, destination, spool, options);
    }
    TRY_ASSIGN(const std::optional<FetchedFile> file, fetch_wal_file(repositories, name));
    if (!file && options.unavailable) return *options.unavailable;
    if (!file) return WalGetOutcome::kNotFound;
    TRY(deliver(file->content, destination));
    return WalGetOutcome::kDelivered;
}

}  // namespace steward
