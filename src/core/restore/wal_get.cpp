#include "core/restore/wal_get.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/restore/wal_fetch.h"

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

}  // namespace

Result<WalGetOutcome> get_wal(std::span<const Repository> repositories, const std::string& name, const std::filesystem::path& destination,
                              WalSpool& spool) {
    const std::optional<WalFileKind> kind = classify_wal_file(name);
    if (!kind) return Error(ErrorCode::invalid_argument, formatted("\"{}\" is not the name of a WAL file", name)).object(name);
    const uint32_t segment_size = repositories.empty() ? kDefaultWalSegmentSize : repositories.front().identity().wal_segment_size;
    if (*kind == WalFileKind::kSegment) {
        TRY_ASSIGN(const WalSegmentName segment, parse_wal_segment_name(name, segment_size));
        const Result<bool> spooled = spool.take(segment, destination);
        static_cast<void>(spool.advance(segment));
        if (spooled.ok() && *spooled) return WalGetOutcome::kDelivered;
    }
    TRY_ASSIGN(const std::optional<FetchedFile> file, fetch_wal_file(repositories, name));
    if (!file) {
        if (*kind == WalFileKind::kSegment) spool.clear();
        return WalGetOutcome::kNotFound;
    }
    TRY(deliver(file->content, destination));
    return WalGetOutcome::kDelivered;
}

}  // namespace steward
