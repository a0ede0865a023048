#include "core/restore/wal_spool.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <mutex>
#include <system_error>

#include "core/base/format.h"
#include "core/base/parallel.h"
#include "core/restore/wal_fetch.h"

namespace steward {

namespace fs = std::filesystem;

WalSpool::WalSpool(const fs::path& pg_wal, uint32_t segment_size) : directory_(pg_wal / "pg_steward.prefetch"), segment_size_(segment_size) {}

fs::path WalSpool::path_of(WalSegmentName name) const { return directory_ / to_string(name, segment_size_); }

bool WalSpool::has(WalSegmentName name) const {
    struct stat st;
    return ::stat(path_of(name).c_str(), &st) == 0 && static_cast<uint64_t>(st.st_size) == segment_size_;
}

Result<bool> WalSpool::take(WalSegmentName name, const fs::path& destination) {
    if (!has(name)) return false;
    if (::rename(path_of(name).c_str(), destination.c_str()) == 0) return true;
    if (errno == ENOENT) return false;
    return Error::from_errno(errno, formatted("could not rename file \"{}\" to \"{}\"", path_of(name).native(), destination.native()))
        .object(destination.native());
}

Result<void> WalSpool::advance(WalSegmentName name) {
    if (::mkdir(directory_.c_str(), 0700) != 0 && errno != EEXIST)
        return Error::from_errno(errno, formatted("could not create directory \"{}\"", directory_.native())).object(directory_.native());
    const std::string text = to_string(name, segment_size_);
    const fs::path pending = directory_ / formatted(".asked.{}", ::getpid());
    {
        TRY_ASSIGN(const UniqueFd fd, open_file(pending, O_WRONLY | O_CREAT | O_TRUNC));
        TRY(write_all(fd.get(), as_bytes(text), pending));
    }
    if (::rename(pending.c_str(), (directory_ / ".asked").c_str()) != 0)
        return Error::from_errno(errno, formatted("could not rename file \"{}\"", pending.native())).object(pending.native());

    std::error_code problem;
    for (fs::directory_iterator entry(directory_, problem), end; !problem && entry != end; entry.increment(problem)) {
        const auto held = parse_wal_segment_name(entry->path().filename().native(), segment_size_);
        std::error_code gone;
        if (held.ok() && (held->timeline != name.timeline || held->segment_number <= name.segment_number)) fs::remove(entry->path(), gone);
    }
    return {};
}

std::optional<WalSegmentName> WalSpool::asked() const {
    const Result<Bytes> text = read_file(directory_ / ".asked", 4096);
    if (!text.ok()) return std::nullopt;
    const auto name = parse_wal_segment_name(as_text(*text), segment_size_);
    return name.ok() ? std::optional(*name) : std::nullopt;
}

bool WalSpool::wants_more(WalSegmentName asked, const PrefetchWindow& window) const {
    unsigned ahead = 0;
    for (unsigned i = 1; i <= window.segments; ++i)
        if (has({asked.timeline, asked.segment_number + i})) ++ahead;
    return ahead < window.segments / 2;
}

void WalSpool::clear() {
    std::error_code ignored;
    fs::remove_all(directory_, ignored);
}

Result<void> WalSpool::add(WalSegmentName name, ByteView content) {
    const fs::path pending = directory_ / formatted(".{}.tmp", to_string(name, segment_size_));
    const auto write_and_rename = [&]() -> Result<void> {
        // Not flushed: after a crash the server begins recovery anew, and a file cut short is known by its size.
        TRY_ASSIGN(const UniqueFd fd, open_file(pending, O_WRONLY | O_CREAT | O_TRUNC));
        TRY(write_all(fd.get(), content, pending));
        if (::rename(pending.c_str(), path_of(name).c_str()) == 0) return {};
        return Error::from_errno(errno, formatted("could not rename file \"{}\"", pending.native())).object(pending.native());
    };
    Result<void> result = write_and_rename();
    if (!result.ok()) ::unlink(pending.c_str());
    return result;
}

Result<std::optional<UniqueFd>> WalSpool::lock() {
    const fs::path path = directory_ / ".lock";
    TRY_ASSIGN(UniqueFd fd, open_file(path, O_RDWR | O_CREAT));
    if (::flock(fd.get(), LOCK_EX | LOCK_NB) == 0) return std::optional(std::move(fd));
    if (errno == EWOULDBLOCK) return std::optional<UniqueFd>();
    return Error::from_errno(errno, formatted("could not lock file \"{}\"", path.native())).object(path.native());
}

namespace {

/// Deals out the segments of the sliding window, each once.
class WindowWalk {
public:
    WindowWalk(const WalSpool& spool, unsigned length) : spool_(spool), length_(length) {}

    std::optional<WalSegmentName> next() {
        const std::lock_guard lock(mutex_);
        const auto asked = spool_.asked();
        if (ended_ || !asked) return std::nullopt;
        if (next_.timeline != asked->timeline || next_.segment_number <= asked->segment_number) next_ = asked->next();
        while (next_.segment_number <= asked->segment_number + length_) {
            const WalSegmentName name = next_;
            next_ = next_.next();
            if (!spool_.has(name)) return name;
        }
        return std::nullopt;
    }

    void end() { ended_ = true; }

private:
    const WalSpool& spool_;
    const unsigned length_;
    std::atomic<bool> ended_{false};
    std::mutex mutex_;
    WalSegmentName next_;  // guarded by mutex_
};

}  // namespace

Result<void> prefetch_wal(WalSpool& spool, std::span<const Repository> repositories, const PrefetchWindow& window, const CancelToken& cancel) {
    TRY_ASSIGN(const std::optional<UniqueFd> lock, spool.lock());
    if (!lock) return {};
    const uint32_t segment_size = repositories.front().identity().wal_segment_size;
    WindowWalk walk(spool, window.segments);
    return run_workers(window.workers, cancel, [&](int, const CancelToken& stop) -> Result<void> {
        while (const auto name = walk.next()) {
            TRY(check_cancel(stop));
            TRY_ASSIGN(const std::optional<FetchedFile> file, fetch_wal_file(repositories, to_string(*name, segment_size)));
            if (!file) {
                walk.end();
                return {};
            }
            // The request for it may have been served meanwhile without the spool.
            const auto asked = spool.asked();
            if (asked && asked->timeline == name->timeline && asked->segment_number < name->segment_number) TRY(spool.add(*name, file->content));
        }
        return {};
    });
}

}  // namespace steward
