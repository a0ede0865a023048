#include "core/restore/unpack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
#include <numeric>
#include <utility>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/base/parallel.h"
#include "core/postgres/crc32c.h"
#include "core/repository/object_range.h"

namespace steward {

namespace fs = std::filesystem;

fs::path Unpacker::path_of(const ManifestFile& file) const {
    return destination_.directory / (file.path == kControlFile ? std::string(kPendingControlFile) : file.path);
}

Result<void> Unpacker::for_each(size_t count, const CancelToken& cancel, const std::function<Result<void>(size_t)>& work) const {
    std::atomic<size_t> next{0};
    return run_workers(destination_.workers, cancel, [&](int, const CancelToken& stop) -> Result<void> {
        for (size_t i = next++; i < count; i = next++) {
            TRY(check_cancel(stop));
            TRY(work(i));
        }
        return {};
    });
}

Result<void> Unpacker::create_directories() const {
    for (const ManifestDirectory& directory : manifest_.directories) {
        const fs::path path = destination_.directory / directory.path;
        if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST)
            return Error::from_errno(errno, formatted("could not create directory \"{}\"", path.native())).object(path.native());
        TRY_ASSIGN(const UniqueFd fd, open_file(path, O_RDONLY | O_DIRECTORY));
        if (::fchmod(fd.get(), directory.mode & 07777) != 0 ||
            (destination_.owner && ::fchown(fd.get(), destination_.owner->user, destination_.owner->group) != 0))
            return Error::from_errno(errno, formatted("could not change owner and permissions of \"{}\"", path.native())).object(path.native());
    }
    return {};
}

/// Take a file that is there out of the way, unless it can be used. Returns how much of it is worth comparing.
Result<uint64_t> Unpacker::make_room(const ManifestFile& file) const {
    const fs::path path = path_of(file);
    const auto failed = [&](std::string_view what) {
        return Error::from_errno(errno, formatted("could not {} file \"{}\"", what, path.native())).object(path.native());
    };
    struct stat st;
    if (::lstat(path.c_str(), &st) != 0) {
        if (errno == ENOENT) return uint64_t{0};
        return failed("stat");
    }
    if (!S_ISREG(st.st_mode) || st.st_nlink > 1 || !is_comparable(manifest_, file)) {
        if (::unlink(path.c_str()) != 0) return failed("remove");
        return uint64_t{0};
    }
    if ((st.st_mode & 0600) != 0600 && ::chmod(path.c_str(), 0600) != 0) return failed("change permissions of");
    return std::min(static_cast<uint64_t>(st.st_size), file.size);
}

Result<void> Unpacker::create_file(size_t index) {
    const ManifestFile& file = manifest_.files[index];
    const fs::path path = path_of(file);
    TRY_ASSIGN(present_[index], make_room(file));
    TRY_ASSIGN(const UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_NOFOLLOW, 0600));
    if (::ftruncate(fd.get(), static_cast<off_t>(file.size)) != 0)
        return Error::from_errno(errno, formatted("could not set the length of file \"{}\"", path.native())).object(path.native());
    if (destination_.owner && ::fchown(fd.get(), destination_.owner->user, destination_.owner->group) != 0)
        return Error::from_errno(errno, formatted("could not change owner of \"{}\"", path.native())).object(path.native());
    return {};
}

Result<void> Unpacker::create_files(const CancelToken& cancel) {
    present_.assign(manifest_.files.size(), 0);
    compared_.assign(manifest_.files.size(), std::nullopt);
    return for_each(manifest_.files.size(), cancel, [this](size_t i) { return create_file(i); });
}

uint64_t Unpacker::present_bytes() const { return std::accumulate(present_.begin(), present_.end(), uint64_t{0}); }

Result<void> Unpacker::compare_content(const CancelToken& cancel) {
    std::atomic<size_t> next{0};
    return run_workers(destination_.workers, cancel, [&](int, const CancelToken& stop) -> Result<void> {
        ContentComparison comparison(*repositories_.front(), manifest_, log_);
        for (size_t i = next++; i < present_.size(); i = next++) {
            TRY(check_cancel(stop));
            if (present_[i] == 0) continue;
            const ManifestFile& file = manifest_.files[i];
            TRY_ASSIGN(const UniqueFd fd, open_file(path_of(file), O_RDWR));
            TRY_ASSIGN(compared_[i], comparison.compare(file, fd.get(), present_[i], path_of(file), progress_.done, stop));
        }
        return {};
    });
}

std::span<const ManifestRun> Unpacker::runs_of(size_t file) const {
    return compared_[file] ? std::span<const ManifestRun>(compared_[file]->missing) : std::span<const ManifestRun>(manifest_.files[file].runs);
}

uint64_t Unpacker::missing_bytes() const {
    uint64_t bytes = 0;
    for (size_t file = 0; file < manifest_.files.size(); ++file)
        for (const ManifestRun& run : runs_of(file)) bytes += run.length;
    return bytes;
}

std::vector<std::vector<Unpacker::PackRun>> Unpacker::runs_by_pack() {
    std::vector<std::vector<PackRun>> packs(manifest_.packs.size());
    run_crcs_.assign(manifest_.files.size(), {});
    for (size_t index = 0; index < manifest_.files.size(); ++index) {
        const std::span<const ManifestRun> runs = runs_of(index);
        const bool crc_known = manifest_.files[index].crc32c.has_value();
        if (!crc_known) run_crcs_[index].assign(runs.size(), 0);
        for (size_t i = 0; i < runs.size(); ++i)
            packs[runs[i].pack].push_back({runs[i].pack_offset, runs[i].length, index, runs[i].offset, crc_known ? nullptr : &run_crcs_[index][i]});
    }
    for (auto& runs : packs) std::ranges::sort(runs, {}, &PackRun::pack_offset);
    return packs;
}

uint32_t Unpacker::checksum_of(size_t index) const {
    const ManifestFile& file = manifest_.files[index];
    if (file.crc32c) return *file.crc32c;
    std::vector<ContentPiece> pieces;
    if (compared_[index]) pieces = compared_[index]->kept;
    const std::span<const ManifestRun> runs = runs_of(index);
    for (size_t i = 0; i < runs.size(); ++i) pieces.push_back({runs[i].offset, runs[i].length, run_crcs_[index][i]});
    std::ranges::sort(pieces, {}, &ContentPiece::offset);

    uint32_t crc = 0;
    uint64_t position = 0;
    // What no piece covers is zero.
    const auto skip_to = [&](uint64_t offset) {
        crc = crc32c_combine(crc, crc32c_of_zeros(offset - position), offset - position);
        position = offset;
    };
    for (const ContentPiece& piece : pieces) {
        skip_to(piece.offset);
        crc = crc32c_combine(crc, piece.crc, piece.length);
        position += piece.length;
    }
    skip_to(file.size);
    return crc;
}

std::vector<uint32_t> Unpacker::checksums() const {
    std::vector<uint32_t> checksums;
    checksums.reserve(manifest_.files.size());
    for (size_t index = 0; index < manifest_.files.size(); ++index) checksums.push_back(checksum_of(index));
    return checksums;
}

/// Copies one pack's content to its files; one per thread. Keeps the files it wrote to last open.
class Unpacker::PackWriter {
public:
    explicit PackWriter(const Unpacker& unpacker) : unpacker_(unpacker) {}

    Result<void> write(const Repository& repository, const std::string& key, std::span<const PackRun> runs) {
        TRY_ASSIGN(const ObjectHead head, repository.load_head(key, ObjectKind::kPack));
        const size_t batch = std::max<size_t>(1, ObjectRangeReader::kBatch / head.frame_size);
        written_ = 0;
        size_t run = 0;    // all before it are written
        size_t frame = 0;  // the next one to be read
        while (run < runs.size()) {
            if (runs[run].pack_offset + runs[run].length > head.plain_length)
                return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is shorter than the manifest says", key)).object(key);
            // What lies between two runs belongs to other backups.
            frame = std::max<size_t>(frame, runs[run].pack_offset / head.frame_size);
            const size_t last = last_needed_frame(runs.subspan(run), head, frame, frame + batch - 1);
            TRY_ASSIGN(const ByteView content, reader_.read_frames(repository, key, head, frame, last));
            const uint64_t begin = frame * uint64_t{head.frame_size};
            TRY(scatter(content, begin, runs.subspan(run)));
            while (run < runs.size() && runs[run].pack_offset + runs[run].length <= begin + content.size()) ++run;
            frame = last + 1;
        }
        return {};
    }

    /// Bytes that the last write, which failed, had written.
    uint64_t take_written() { return std::exchange(written_, 0); }

private:
    /// The last frame, `limit` at most, up to which the runs need every frame from `first` on.
    static size_t last_needed_frame(std::span<const PackRun> runs, const ObjectHead& head, size_t first, size_t limit) {
        size_t last = first;
        for (const PackRun& run : runs) {
            if (run.pack_offset / head.frame_size > last + 1 || last >= limit) break;
            last = std::max<size_t>(last, (run.pack_offset + run.length - 1) / head.frame_size);
        }
        return std::min({last, limit, head.frames.size() - 1});
    }

    /// Write those parts of `runs` that `content`, from pack offset `begin` on, holds. Runs may share content.
    Result<void> scatter(ByteView content, uint64_t begin, std::span<const PackRun> runs) {
        const uint64_t end = begin + content.size();
        for (const PackRun& run : runs) {
            if (run.pack_offset >= end) break;
            const uint64_t from = std::max(run.pack_offset, begin);
            const uint64_t to = std::min(run.pack_offset + run.length, end);
            if (from >= to) continue;
            TRY_ASSIGN(const int fd, open(run.file));
            const uint64_t offset = run.file_offset + (from - run.pack_offset);
            // A run comes in order, if in several pieces.
            if (run.crc != nullptr) *run.crc = crc32c(content.subspan(from - begin, to - from), from == run.pack_offset ? 0 : *run.crc);
            TRY(write_at(fd, offset, content.subspan(from - begin, to - from), unpacker_.path_of(unpacker_.manifest_.files[run.file])));
            // Let the disk begin now, so that the flush at the end is short. Advice only: the flush reports errors.
            if (to - from >= kWorthStarting) ::sync_file_range(fd, static_cast<off_t>(offset), static_cast<off_t>(to - from), SYNC_FILE_RANGE_WRITE);
            written_ += to - from;
            unpacker_.progress_.done += to - from;
        }
        return {};
    }

    Result<int> open(size_t file) {
        const auto known = std::ranges::find(open_files_, file, [](const auto& entry) { return entry.first; });
        if (known != open_files_.end()) return known->second.get();
        TRY_ASSIGN(UniqueFd fd, open_file(unpacker_.path_of(unpacker_.manifest_.files[file]), O_WRONLY));
        if (open_files_.size() >= kOpenFiles) open_files_.pop_front();
        open_files_.emplace_back(file, std::move(fd));
        return open_files_.back().second.get();
    }

    static constexpr size_t kOpenFiles = 16;
    static constexpr uint64_t kWorthStarting = 256 * 1024;

    const Unpacker& unpacker_;
    ObjectRangeReader reader_;
    uint64_t written_ = 0;
    std::deque<std::pair<size_t, UniqueFd>> open_files_;
};

Result<void> Unpacker::write_pack(PackWriter& writer, uint32_t pack, std::span<const PackRun> runs) const {
    std::optional<Error> failure;
    for (const Repository* repository : repositories_) {
        const std::string key = repository->layout().pack(manifest_.packs[pack].set, manifest_.packs[pack].number);
        Result<void> written = writer.write(*repository, key, runs);
        if (written.ok()) return written;
        const bool another_may_help = written.error().code() == ErrorCode::corrupt_object || written.error().code() == ErrorCode::not_found ||
                                      written.error().code() == ErrorCode::unsupported_format || written.error().code() == ErrorCode::network ||
                                      written.error().code() == ErrorCode::io_error || written.error().code() == ErrorCode::timed_out;
        failure = std::move(written).error().context(formatted("while restoring from repository \"{}\"", repository->url()));
        if (!another_may_help) break;
        progress_.done -= writer.take_written();
        if (repository != repositories_.back()) log_.warning("pack_unusable", *failure);
    }
    return std::move(*failure);
}

Result<void> Unpacker::write_content(const CancelToken& cancel) {
    const auto packs = runs_by_pack();
    std::atomic<uint32_t> next{0};
    return run_workers(destination_.workers, cancel, [&](int, const CancelToken& stop) -> Result<void> {
        PackWriter writer(*this);
        for (uint32_t pack = next++; pack < packs.size(); pack = next++) {
            TRY(check_cancel(stop));
            if (!packs[pack].empty()) TRY(write_pack(writer, pack, packs[pack]));
        }
        return {};
    });
}

Result<void> Unpacker::sync_content(const ManifestFile& file) const {
    const fs::path path = path_of(file);
    TRY_ASSIGN(const UniqueFd fd, open_file(path, O_RDONLY));
    // Not before: a file that its owner cannot write has to be written too.
    if (::fchmod(fd.get(), file.mode & 07777) != 0)
        return Error::from_errno(errno, formatted("could not change permissions of \"{}\"", path.native())).object(path.native());
    TRY(sync_file(fd.get(), path));
    progress_.done++;
    return {};
}

Result<void> Unpacker::sync(const CancelToken& cancel) const {
    TRY(for_each(manifest_.files.size(), cancel, [this](size_t i) { return sync_content(manifest_.files[i]); }));
    TRY(for_each(manifest_.directories.size(), cancel,
                 [this](size_t i) { return sync_directory(destination_.directory / manifest_.directories[i].path); }));
    return sync_directory(destination_.directory);
}

}  // namespace steward
