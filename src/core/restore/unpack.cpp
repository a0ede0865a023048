#include "core/restore/unpack.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <deque>
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

Result<void> Unpacker::create_file(const ManifestFile& file) const {
    const fs::path path = path_of(file);
    TRY_ASSIGN(const UniqueFd fd, open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0600));
    if (file.size != 0 && ::ftruncate(fd.get(), static_cast<off_t>(file.size)) != 0)
        return Error::from_errno(errno, formatted("could not extend file \"{}\"", path.native())).object(path.native());
    if ((destination_.owner && ::fchown(fd.get(), destination_.owner->user, destination_.owner->group) != 0) ||
        ::fchmod(fd.get(), file.mode & 07777) != 0)
        return Error::from_errno(errno, formatted("could not change owner and permissions of \"{}\"", path.native())).object(path.native());
    return {};
}

Result<void> Unpacker::create_files(const CancelToken& cancel) const {
    return for_each(manifest_.files.size(), cancel, [this](size_t i) { return create_file(manifest_.files[i]); });
}

std::vector<std::vector<Unpacker::PackRun>> Unpacker::runs_by_pack() {
    std::vector<std::vector<PackRun>> packs(manifest_.packs.size());
    run_crcs_.assign(manifest_.files.size(), {});
    for (size_t index = 0; index < manifest_.files.size(); ++index) {
        const ManifestFile& file = manifest_.files[index];
        if (!file.crc32c) run_crcs_[index].assign(file.runs.size(), 0);
        for (size_t i = 0; i < file.runs.size(); ++i) {
            const ManifestRun& run = file.runs[i];
            packs[run.pack].push_back({run.pack_offset, run.length, index, run.offset, file.crc32c ? nullptr : &run_crcs_[index][i]});
        }
    }
    for (auto& runs : packs) std::ranges::sort(runs, {}, &PackRun::pack_offset);
    return packs;
}

std::vector<uint32_t> Unpacker::checksums() const {
    std::vector<uint32_t> checksums;
    checksums.reserve(manifest_.files.size());
    for (size_t index = 0; index < manifest_.files.size(); ++index) {
        const ManifestFile& file = manifest_.files[index];
        uint32_t crc = 0;
        uint64_t position = 0;
        // What no run covers is zero.
        const auto skip_to = [&](uint64_t offset) {
            crc = crc32c_combine(crc, crc32c_of_zeros(offset - position), offset - position);
            position = offset;
        };
        for (size_t i = 0; !file.crc32c && i < file.runs.size(); ++i) {
            skip_to(file.runs[i].offset);
            crc = crc32c_combine(crc, run_crcs_[index][i], file.runs[i].length);
            position += file.runs[i].length;
        }
        if (!file.crc32c) skip_to(file.size);
        checksums.push_back(file.crc32c.value_or(crc));
    }
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
