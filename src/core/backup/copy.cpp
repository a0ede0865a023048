#include "core/backup/copy.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "core/backup/append_run.h"
#include "core/backup/copy_worker.h"
#include "core/base/parallel.h"
#include "core/postgres/crc32c.h"

namespace steward {

namespace {

/// Makes the manifest's lists of what the workers did.
class Assembly {
public:
    Assembly(const CopySource& source, std::vector<ManifestPack> packs) : source_(source) {
        std::ranges::sort(packs, {}, &ManifestPack::number);
        for (const ManifestPack& pack : packs) index_of_new_.emplace(pack.number, static_cast<uint32_t>(index_of_new_.size()));
        result_.packs = std::move(packs);
    }

    CopiedFiles make(std::vector<CopiedPiece> pieces) {
        std::ranges::sort(pieces, {}, [](const CopiedPiece& piece) { return std::pair(piece.file, piece.offset); });
        for (auto first = pieces.begin(); first != pieces.end();) {
            const auto last = std::find_if(first, pieces.end(), [&](const CopiedPiece& piece) { return piece.file != first->file; });
            add_file(std::span(first, last));
            first = last;
        }
        return std::move(result_);
    }

private:
    uint32_t index_of(const CopiedRun& run) {
        if (!run.of_base) return index_of_new_.at(run.pack);
        const auto [known, is_new] = index_of_base_.emplace(run.pack, static_cast<uint32_t>(result_.packs.size()));
        if (is_new) result_.packs.push_back(source_.base->manifest.packs[run.pack]);
        return known->second;
    }

    void add_file(std::span<const CopiedPiece> pieces) {
        // Dropped while it was copied: replay drops it too, and pieces of it are no use.
        if (std::ranges::any_of(pieces, &CopiedPiece::vanished)) return;
        const ScannedFile& scanned = source_.files[pieces.front().file];
        ManifestFile file{.path = scanned.path, .size = 0, .mode = scanned.mode, .modified = scanned.modified, .crc32c = 0, .digest = {}, .runs = {}};
        for (const CopiedPiece& piece : pieces) {
            if (piece.length == 0) continue;
            append_crc(file, piece);
            // Pieces may be neighbours in one pack.
            for (const CopiedRun& run : piece.runs) append_run(file.runs, ManifestRun{run.offset, run.length, index_of(run), run.pack_offset});
            file.size = piece.offset + piece.length;
        }
        if (pieces.size() == 1) file.digest = pieces.front().digest;
        result_.files.push_back(std::move(file));
    }

    static void append_crc(ManifestFile& file, const CopiedPiece& piece) {
        if (!file.crc32c || !piece.crc) {
            file.crc32c.reset();
            return;
        }
        const uint64_t hole = piece.offset - file.size;
        file.crc32c = crc32c_combine(*file.crc32c, crc32c_of_zeros(hole), hole);
        file.crc32c = crc32c_combine(*file.crc32c, *piece.crc, piece.length);
    }

    const CopySource& source_;
    std::map<unsigned, uint32_t> index_of_new_;
    std::map<uint32_t, uint32_t> index_of_base_;
    CopiedFiles result_;
};

}  // namespace

uint64_t CopiedFiles::data_bytes() const {
    uint64_t sum = 0;
    for (const ManifestFile& file : files) sum += file.size;
    return sum;
}

unsigned copy_pack_limit(const CopyPlan& plan, int workers) {
    // A task closes one pack at most, and so does the end of each worker.
    return static_cast<unsigned>(plan.packs.size()) + static_cast<unsigned>(workers);
}

Result<CopiedFiles> copy_files(const CopyOptions& options, const CopySource& source, const CopyPlan& plan, std::span<const Repository> repositories,
                               CopyCounters& counters, Log& log, const CancelToken& cancel) {
    std::atomic<unsigned> next_pack{0};
    std::atomic<uint32_t> next_task{0};
    std::mutex mutex;
    std::vector<ManifestPack> packs;
    std::vector<CopiedPiece> pieces;
    std::vector<BadPage> bad_pages;
    const int workers = static_cast<int>(std::clamp<size_t>(plan.packs.size(), 1, static_cast<size_t>(options.workers)));
    const auto work = [&](int, const CancelToken& stop) -> Result<void> {
        CopyWorker worker(options, source, repositories, counters, next_pack, log);
        TRY(worker.run(plan, next_task, stop));
        const std::lock_guard lock(mutex);
        std::ranges::copy(worker.packs(), std::back_inserter(packs));
        std::ranges::copy(worker.pieces(), std::back_inserter(pieces));
        std::ranges::copy(worker.bad_pages(), std::back_inserter(bad_pages));
        return {};
    };
    TRY(run_workers(workers, cancel, work));
    CopiedFiles copied = Assembly(source, std::move(packs)).make(std::move(pieces));
    copied.bad_pages = std::move(bad_pages);
    std::ranges::sort(copied.bad_pages, {}, [](const BadPage& page) { return std::tie(page.path, page.offset); });
    return copied;
}

}  // namespace steward
