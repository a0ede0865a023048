#include "core/restore/content_comparison.h"

#include <fcntl.h>

#include <algorithm>

#include "core/backup/copy.h"
#include "core/base/file.h"
#include "core/crypto/digest.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/page.h"

namespace steward {

namespace {

constexpr uint64_t kReadSize = 256 * 1024;
static_assert(kReadSize >= kLargestComparedWhole && kReadSize % kPageSize == 0);

void keep(const ManifestFile& file, ComparedFile& result, uint64_t offset, ByteView content) {
    if (result.kept.empty() || result.kept.back().offset + result.kept.back().length != offset) result.kept.push_back({offset, 0, 0});
    ContentPiece& piece = result.kept.back();
    if (!file.crc32c) piece.crc = crc32c(content, piece.length == 0 ? 0 : piece.crc);
    piece.length += content.size();
}

void miss(ComparedFile& result, const ManifestRun& run, uint64_t begin, uint64_t length) {
    const ManifestRun part{run.offset + begin, length, run.pack, run.pack_offset + begin};
    if (!result.missing.empty()) {
        ManifestRun& last = result.missing.back();
        if (last.pack == part.pack && last.offset + last.length == part.offset && last.pack_offset + last.length == part.pack_offset) {
            last.length += length;
            return;
        }
    }
    result.missing.push_back(part);
}

bool is_zero(ByteView content) {
    return std::ranges::all_of(content, [](std::byte b) { return b == std::byte{0}; });
}

/// Make a range zero, giving its room back where the file system can.
Result<void> clear(int fd, uint64_t offset, ByteView zeros, const std::filesystem::path& path) {
    if (::fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, static_cast<off_t>(offset), static_cast<off_t>(zeros.size())) == 0) return {};
    return write_at(fd, offset, zeros, path);
}

}  // namespace

bool is_comparable(const Manifest& manifest, const ManifestFile& file) {
    if (file.digest && file.size <= kLargestComparedWhole) return true;
    // A file of zeros is made anew without reading what is there.
    return file.size % kPageSize == 0 &&
           std::ranges::any_of(file.runs, [&](const ManifestRun& run) { return manifest.packs[run.pack].table != 0; });
}

ContentComparison::ContentComparison(const Repository& repository, const Manifest& manifest, Log& log)
    : manifest_(manifest), pages_(repository, manifest.packs, log), buffer_(kReadSize) {}

Result<ComparedFile> ContentComparison::compare(const ManifestFile& file, int fd, uint64_t present, const std::filesystem::path& path,
                                                std::atomic<uint64_t>& done, const CancelToken& cancel) {
    Subject subject{file, fd, std::min(present, file.size), path, done, cancel};
    if (file.digest && file.size <= kLargestComparedWhole) {
        TRY(compare_whole(subject));
        return std::move(subject.result);
    }
    uint64_t position = 0;
    for (const ManifestRun& run : file.runs) {
        TRY(clear_gap(subject, position, run.offset));
        TRY(compare_run(subject, run));
        position = run.offset + run.length;
    }
    TRY(clear_gap(subject, position, file.size));
    return std::move(subject.result);
}

Result<ByteView> ContentComparison::read(Subject& subject, uint64_t offset, uint64_t length) {
    TRY(check_cancel(subject.cancel));
    const MutableByteView into = MutableByteView(buffer_).first(length);
    TRY_ASSIGN(const size_t n, read_at(subject.fd, offset, into, subject.path));
    subject.done += n;
    return ByteView(into.first(n));
}

Result<void> ContentComparison::compare_whole(Subject& subject) {
    const ManifestFile& file = subject.file;
    TRY_ASSIGN(const ByteView content, read(subject, 0, file.size));
    if (content.size() == file.size && digest_of(content) == *file.digest) {
        keep(file, subject.result, 0, content);
        return {};
    }
    subject.result.missing = file.runs;
    uint64_t position = 0;
    for (const ManifestRun& run : file.runs) {
        TRY(clear_gap(subject, position, run.offset));
        position = run.offset + run.length;
    }
    return clear_gap(subject, position, file.size);
}

Result<void> ContentComparison::compare_run(Subject& subject, const ManifestRun& run) {
    const uint64_t present = subject.present > run.offset ? std::min(run.length, subject.present - run.offset) : 0;
    const uint64_t comparable = manifest_.packs[run.pack].table == 0 ? 0 : present;
    uint64_t at = 0;
    while (at < comparable) {
        // Digests are of the pack's pages: end with one.
        const uint64_t wanted = std::min(kReadSize - (run.pack_offset + at) % kPageSize, comparable - at);
        TRY_ASSIGN(const ByteView content, read(subject, run.offset + at, wanted));
        for (size_t done = 0; done < content.size();) {
            const uint64_t place = run.pack_offset + at + done;
            const ByteView page = content.subspan(done, std::min<uint64_t>(kPageSize - place % kPageSize, content.size() - done));
            if (page.size() == kPageSize && pages_.digest_at(run.pack, place) == short_digest_of(page))
                keep(subject.file, subject.result, run.offset + at + done, page);
            else
                miss(subject.result, run, at + done, page.size());
            done += page.size();
        }
        at += content.size();
        if (content.size() < wanted) break;
    }
    if (at < run.length) miss(subject.result, run, at, run.length - at);
    return {};
}

Result<void> ContentComparison::clear_gap(Subject& subject, uint64_t begin, uint64_t end) {
    end = std::min(end, subject.present);
    while (begin < end) {
        TRY_ASSIGN(const ByteView content, read(subject, begin, std::min(kReadSize, end - begin)));
        if (content.empty()) return {};
        if (!is_zero(content)) {
            std::ranges::fill(MutableByteView(buffer_).first(content.size()), std::byte{0});
            TRY(clear(subject.fd, begin, content, subject.path));
        }
        begin += content.size();
    }
    return {};
}

}  // namespace steward
