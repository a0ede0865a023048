#include "core/backup/copy_worker.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <utility>

#include "core/backup/append_run.h"
#include "core/base/file.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/page.h"

namespace steward {

namespace {

/// Read at a time: what a processor's second-level cache holds beside everything else.
constexpr size_t kReadSize = kFrameSize;

/// How much of a file that is not a relation's to copy: WAL does not repair those, so half of a rewritten one is no use.
uint64_t present_length(int fd, uint64_t scanned) {
    struct stat st;
    if (::fstat(fd, &st) != 0) return scanned;
    return std::min<uint64_t>(static_cast<uint64_t>(st.st_size), scanned + kPackTarget);
}

}  // namespace

CopyWorker::CopyWorker(const CopyOptions& options, const CopySource& source, std::span<const Repository> repositories, CopyCounters& counters,
                       std::atomic<unsigned>& next_pack, Log& log)
    : options_(options),
      source_(source),
      counters_(counters),
      packs_(repositories, options.pack_set, options.compression, options.pace, next_pack, counters.repository_bytes),
      page_check_(options.control, options.start_lsn, options.read),
      buffer_(kReadSize) {
    if (source.base != nullptr) base_pages_.emplace(repositories.front(), source.base->manifest.packs, log);
}

const FileTreatment& CopyWorker::treatment_of(uint32_t file) const {
    static const FileTreatment kCopyAll;
    return source_.treatments.empty() ? kCopyAll : source_.treatments[file];
}

Result<void> CopyWorker::run(const CopyPlan& plan, std::atomic<uint32_t>& next_task, const CancelToken& cancel) {
    for (uint32_t task = next_task++; task < plan.packs.size(); task = next_task++) TRY(do_task(plan.packs[task], cancel));
    return packs_.finish();
}

/// A task that is stored as a whole makes a pack. Where most is known already, several tasks share one.
Result<void> CopyWorker::do_task(const PackTask& task, const CancelToken& cancel) {
    packs_.expect(task.length);
    for (const CopyPiece& piece : task.pieces) TRY(take(piece, cancel));
    if (packs_.size() > 0 && packs_.size() >= task.length / 2) return packs_.close();
    return {};
}

Result<void> CopyWorker::take(const CopyPiece& piece, const CancelToken& cancel) {
    TRY(check_cancel(cancel));
    const ScannedFile& file = source_.files[piece.file];
    const FileTreatment& treatment = treatment_of(piece.file);
    CopiedPiece copied{.file = piece.file, .offset = piece.offset};
    OpenPiece open{file, treatment, options_.data_directory / file.path, -1, parse_relation_path(file.path).has_value(), page_check_.checked_file(file.path)};
    if (treatment.kind == FileTreatment::Kind::kPatch && treatment.read.empty()) {
        TRY(patch(open, copied, cancel));
    } else {
        // O_NOFOLLOW: what was a file when it was scanned must not lead elsewhere now.
        const Result<UniqueFd> fd = open_file(open.path, O_RDONLY | O_NOFOLLOW);
        if (fd.ok()) {
            open.fd = fd->get();
            TRY(copy_open(piece, open, copied, cancel));
        } else {
            if (fd.error().code() != ErrorCode::not_found) return fd.error();
            copied.vanished = true;
        }
    }
    counters_.bytes_done += piece.length - std::min(piece.length, copied.length);
    pieces_.push_back(std::move(copied));
    return {};
}

Result<void> CopyWorker::copy_open(const CopyPiece& piece, const OpenPiece& open, CopiedPiece& copied, const CancelToken& cancel) {
    if (open.treatment.kind == FileTreatment::Kind::kPatch) return patch(open, copied, cancel);
    const bool paged = consists_of_pages(open.file.size);
    const uint64_t length = piece.whole && !open.relation ? present_length(open.fd, piece.length) : piece.length;
    if (!paged && piece.whole && length > 0 && length <= kLargestComparedWhole) return compare_whole(open, length, copied, cancel);
    if (paged && open.treatment.kind == FileTreatment::Kind::kCompare) return compare_pages(open, length, copied, cancel);
    if (length > 0 && (open.relation || paged)) packs_.align_to_page();
    return copy_content(open, length, copied, cancel);
}

Result<MutableByteView> CopyWorker::read(const OpenPiece& open, uint64_t offset, MutableByteView into, const CancelToken& cancel) {
    if (options_.rate_limit != nullptr) TRY(options_.rate_limit->take(into.size(), cancel));
    TRY_ASSIGN(const size_t n, options_.read(open.fd, offset, into, open.path));
    counters_.bytes_read += n;
    const MutableByteView content = into.first(n);
    options_.pace.step_done();
    if (open.checked) TRY(page_check_.verify(*open.checked, open.file.path, open.fd, offset, content));
    return content;
}

/// Read straight into the pack's frame: page checksums, digests, CRC and compression then find the bytes in the cache.
Result<void> CopyWorker::copy_content(const OpenPiece& open, uint64_t length, CopiedPiece& copied, const CancelToken& cancel) {
    const bool paged = packs_.size() % kPageSize == 0 && consists_of_pages(open.file.size);
    while (copied.length < length) {
        TRY(check_cancel(cancel));
        const MutableByteView room = packs_.room();
        const size_t wanted = options_.pace.light_step(std::min<uint64_t>(room.size(), length - copied.length));
        TRY_ASSIGN(const MutableByteView content, read(open, copied.offset + copied.length, room.first(wanted), cancel));
        if (content.empty()) return {};
        const bool at_end = content.size() < wanted;
        for (size_t page = 0; paged && page + kPageSize <= content.size(); page += kPageSize)
            packs_.note_page(short_digest_of(content.subspan(page, kPageSize)), page);
        copied.crc = crc32c(content, *copied.crc);
        options_.pace.step_done();
        const PackPlace place = packs_.place();
        append_run(copied.runs, CopiedRun{copied.offset + copied.length, content.size(), place.number, place.offset, false});
        packs_.filled(content.size());
        copied.length += content.size();
        counters_.bytes_done += content.size();
        if (at_end) return {};
    }
    return {};
}

/// A page's place in the base's packs, if it is there with this digest. One with a younger LSN than the base's end was changed since,
/// whatever its digest says.
std::optional<CopiedRun> CopyWorker::same_in_base(const OpenPiece& open, std::span<const ManifestRun> base, uint64_t offset, ByteView page,
                                                  uint64_t digest) {
    const auto run = std::ranges::partition_point(base, [&](const ManifestRun& r) { return r.offset + r.length <= offset; });
    if (run == base.end() || run->offset > offset || run->offset + run->length < offset + kPageSize) return std::nullopt;
    const uint64_t place = run->pack_offset + (offset - run->offset);
    if (open.relation && read_page_header(page).lsn > source_.base->manifest.summary.stop_lsn) return std::nullopt;
    if (base_pages_->digest_at(run->pack, place) != digest) return std::nullopt;
    return CopiedRun{offset, kPageSize, run->pack, place, true};
}

void CopyWorker::add_page(ByteView page, uint64_t digest, uint64_t offset, CopiedPiece& copied) {
    packs_.align_to_page();
    const PackPlace place = packs_.place();
    packs_.note_page(digest);
    packs_.add(page);
    append_run(copied.runs, CopiedRun{offset, page.size(), place.number, place.offset, false});
}

Result<void> CopyWorker::compare_pages(const OpenPiece& open, uint64_t length, CopiedPiece& copied, const CancelToken& cancel) {
    const std::vector<ManifestRun> base = usable_runs(*open.treatment.base, source_.base->usable, copied.offset, copied.offset + length);
    while (copied.length < length) {
        TRY(check_cancel(cancel));
        const size_t wanted = options_.pace.light_step(std::min<uint64_t>(kReadSize, length - copied.length));
        TRY_ASSIGN(const ByteView content, read(open, copied.offset + copied.length, MutableByteView(buffer_).first(wanted), cancel));
        copied.crc = crc32c(content, *copied.crc);
        for (size_t at = 0; at < content.size(); at += kPageSize) {
            const ByteView page = content.subspan(at, std::min(kPageSize, content.size() - at));
            const uint64_t offset = copied.offset + copied.length + at;
            const uint64_t digest = short_digest_of(page);
            const std::optional<CopiedRun> same = page.size() == kPageSize ? same_in_base(open, base, offset, page, digest) : std::nullopt;
            if (same)
                append_run(copied.runs, *same);
            else
                add_page(page, digest, offset, copied);
        }
        copied.length += content.size();
        counters_.bytes_done += content.size();
        if (content.size() < wanted) return {};
    }
    return {};
}

/// A small file that does not consist of pages.
Result<void> CopyWorker::compare_whole(const OpenPiece& open, uint64_t length, CopiedPiece& copied, const CancelToken& cancel) {
    TRY_ASSIGN(const ByteView content, read(open, 0, MutableByteView(buffer_).first(length), cancel));
    copied.length = content.size();
    copied.crc = crc32c(content);
    copied.digest = digest_of(content);
    counters_.bytes_done += content.size();
    const ManifestFile* base = open.treatment.base;
    if (base != nullptr && base->size == content.size() && base->digest == copied.digest) {
        keep_base(open, 0, content.size(), copied);
        uint64_t kept = 0;
        for (const CopiedRun& run : copied.runs) kept += run.length;
        if (kept == content.size()) return {};
        copied.runs.clear();
    }
    if (content.empty()) return {};
    if (open.relation) packs_.align_to_page();
    const PackPlace place = packs_.place();
    packs_.add(content);
    append_run(copied.runs, CopiedRun{0, content.size(), place.number, place.offset, false});
    return {};
}

void CopyWorker::keep_base(const OpenPiece& open, uint64_t begin, uint64_t end, CopiedPiece& copied) {
    for (const ManifestRun& run : usable_runs(*open.treatment.base, source_.base->usable, begin, end))
        append_run(copied.runs, CopiedRun{run.offset, run.length, run.pack, run.pack_offset, true});
}

/// Store the ranges to be read, and take everything between them from the base.
Result<void> CopyWorker::patch(const OpenPiece& open, CopiedPiece& copied, const CancelToken& cancel) {
    uint64_t position = 0;
    for (const ByteRange& range : open.treatment.read) {
        keep_base(open, position, range.offset, copied);
        for (uint64_t offset = range.offset; offset < range.offset + range.length;) {
            TRY(check_cancel(cancel));
            const size_t wanted = options_.pace.light_step(std::min<uint64_t>(kReadSize, range.offset + range.length - offset));
            TRY_ASSIGN(const ByteView content, read(open, offset, MutableByteView(buffer_).first(wanted), cancel));
            for (size_t at = 0; at < content.size(); at += kPageSize) {
                const ByteView page = content.subspan(at, std::min(kPageSize, content.size() - at));
                add_page(page, short_digest_of(page), offset + at, copied);
            }
            offset += content.size();
            // Truncated since the scan: what is missing stays zero, and replay truncates the copy too.
            if (content.size() < wanted) break;
        }
        position = range.offset + range.length;
    }
    keep_base(open, position, open.file.size, copied);
    copied.length = open.file.size;
    const bool unchanged = open.treatment.read.empty() && open.treatment.base->size == open.file.size;
    copied.crc = unchanged ? open.treatment.base->crc32c : std::nullopt;
    counters_.bytes_done += open.file.size;
    return {};
}

}  // namespace steward
