#include "core/backup/copy.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <iterator>
#include <limits>
#include <mutex>
#include <optional>
#include <tuple>
#include <utility>

#include "core/backup/pack_store.h"
#include "core/base/file.h"
#include "core/base/parallel.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/page.h"

namespace steward {

namespace {

constexpr uint32_t kNoPack = std::numeric_limits<uint32_t>::max();

/// What became of one piece.
struct CopiedPiece {
    uint32_t file = 0;
    uint64_t offset = 0;
    uint64_t length = 0;  ///< as read; 0 beyond the end of a truncated file
    uint64_t pack_offset = 0;
    uint32_t task = 0;  ///< whose pack it is in
    uint32_t crc = 0;
    bool vanished = false;
};

struct CopiedPack {
    uint64_t length = 0;
    uint64_t stored = 0;
};

/// Takes packs from a counter that all workers share, and makes them one after the other.
class CopyWorker {
public:
    CopyWorker(const CopyOptions& options, std::span<const ScannedFile> files, std::span<const Repository> repositories, CopyCounters& counters)
        : options_(options),
          files_(files),
          system_identifier_(repositories.front().identity().system_identifier),
          counters_(counters),
          builder_(options.compression),
          page_check_(options.control, options.start_lsn, options.read),
          store_(repositories, options.pack_set) {}

    Result<void> run(const CopyPlan& plan, std::atomic<uint32_t>& next_task, std::span<CopiedPack> packs, const CancelToken& cancel) {
        for (uint32_t task = next_task++; task < plan.packs.size(); task = next_task++) TRY(make_pack(plan.packs[task], task, packs[task], cancel));
        return store_.finish();
    }

    const std::vector<CopiedPiece>& pieces() const { return pieces_; }
    const std::vector<BadPage>& bad_pages() const { return page_check_.bad_pages(); }

private:
    Result<void> make_pack(const PackTask& task, uint32_t number, CopiedPack& result, const CancelToken& cancel) {
        builder_.prepare(task.length, store_.take_spent_payload());
        for (const CopyPiece& piece : task.pieces) TRY(copy_piece(piece, number, cancel));
        result.length = builder_.position();
        // Everything in it may have vanished.
        if (result.length == 0) return {};
        BuiltObject pack = builder_.finish(ObjectKind::kPack, system_identifier_);
        result.stored = pack.size();
        counters_.repository_bytes += pack.size();
        return store_.hand_over(number, std::move(pack));
    }

    Result<void> copy_piece(const CopyPiece& piece, uint32_t task, const CancelToken& cancel) {
        TRY(check_cancel(cancel));
        const std::string& path = files_[piece.file].path;
        const std::filesystem::path where = options_.data_directory / path;
        CopiedPiece copied{.file = piece.file, .offset = piece.offset, .task = task};
        // O_NOFOLLOW: what was a file when it was scanned must not lead elsewhere now.
        Result<UniqueFd> fd = open_file(where, O_RDONLY | O_NOFOLLOW);
        if (!fd.ok()) {
            if (fd.error().code() != ErrorCode::not_found) return fd.error();
            copied.vanished = true;
            counters_.bytes_done += piece.length;
        } else {
            const bool relation = parse_relation_path(path).has_value();
            if (relation) pad_to_page();
            copied.pack_offset = builder_.position();
            const uint64_t length = piece.whole && !relation ? present_length(fd->get(), piece.length) : piece.length;
            TRY(copy_content(path, where, fd->get(), length, copied, cancel));
            counters_.bytes_done += piece.length - std::min(piece.length, copied.length);
        }
        pieces_.push_back(copied);
        return {};
    }

    /// Read straight into the builder's frame: page checksums, CRC, digest and compression then find the bytes in the cache.
    Result<void> copy_content(const std::string& path, const std::filesystem::path& where, int fd, uint64_t length, CopiedPiece& copied,
                              const CancelToken& cancel) {
        const std::optional<RelationFile> checked = page_check_.checked_file(path);
        while (copied.length < length) {
            TRY(check_cancel(cancel));
            const MutableByteView room = builder_.room();
            const MutableByteView wanted = room.first(std::min<uint64_t>(room.size(), length - copied.length));
            TRY_ASSIGN(const size_t n, options_.read(fd, copied.offset + copied.length, wanted, where));
            const MutableByteView content = wanted.first(n);
            if (checked) TRY(page_check_.verify(*checked, path, fd, copied.offset + copied.length, content));
            copied.crc = crc32c(content, copied.crc);
            builder_.filled(n);
            copied.length += n;
            counters_.bytes_done += n;
            if (n < wanted.size()) return {};
        }
        return {};
    }

    /// How much of a file that is not a relation's to copy: WAL does not repair those, so half of a rewritten one is no use.
    static uint64_t present_length(int fd, uint64_t scanned) {
        struct stat st;
        if (::fstat(fd, &st) != 0) return scanned;
        return std::min<uint64_t>(static_cast<uint64_t>(st.st_size), scanned + kPackTarget);
    }

    /// Pages must not cross frames. Only a relation file that was truncated within a page leaves the boundary.
    void pad_to_page() {
        static constexpr std::array<std::byte, kPageSize> kZeros{};
        if (const size_t excess = builder_.position() % kPageSize; excess != 0) builder_.add(ByteView(kZeros).first(kPageSize - excess));
    }

    const CopyOptions& options_;
    const std::span<const ScannedFile> files_;
    const uint64_t system_identifier_;
    CopyCounters& counters_;
    ObjectBuilder builder_;
    PageCheck page_check_;
    PackStore store_;
    std::vector<CopiedPiece> pieces_;
};

/// Makes the manifest's lists of what the workers did.
class Assembly {
public:
    Assembly(std::span<const ScannedFile> files, const std::string& pack_set, std::span<const CopiedPack> packs)
        : files_(files), pack_set_(pack_set), packs_(packs), index_of_task_(packs.size(), kNoPack) {}

    CopiedFiles make(std::vector<CopiedPiece> pieces) {
        number_packs();
        std::ranges::sort(pieces, {}, [](const CopiedPiece& piece) { return std::pair(piece.file, piece.offset); });
        for (auto first = pieces.begin(); first != pieces.end();) {
            const auto last = std::find_if(first, pieces.end(), [&](const CopiedPiece& piece) { return piece.file != first->file; });
            add_file(std::span(first, last));
            first = last;
        }
        return std::move(result_);
    }

private:
    void number_packs() {
        for (size_t task = 0; task < packs_.size(); ++task) {
            if (packs_[task].length == 0) continue;
            index_of_task_[task] = static_cast<uint32_t>(result_.packs.size());
            result_.packs.push_back({pack_set_, static_cast<unsigned>(task), packs_[task].length, packs_[task].stored});
        }
    }

    void add_file(std::span<const CopiedPiece> pieces) {
        // Dropped while it was copied: replay drops it too, and pieces of it are no use.
        if (std::ranges::any_of(pieces, &CopiedPiece::vanished)) return;
        const ScannedFile& scanned = files_[pieces.front().file];
        ManifestFile file{.path = scanned.path, .size = 0, .mode = scanned.mode, .modified = scanned.modified, .crc32c = 0, .runs = {}};
        for (const CopiedPiece& piece : pieces) {
            if (piece.length == 0) continue;
            const uint64_t hole = piece.offset - file.size;
            file.crc32c = crc32c_combine(file.crc32c, crc32c_of_zeros(hole), hole);
            file.crc32c = crc32c_combine(file.crc32c, piece.crc, piece.length);
            file.runs.push_back({piece.offset, piece.length, index_of_task_[piece.task], piece.pack_offset});
            file.size = piece.offset + piece.length;
        }
        result_.files.push_back(std::move(file));
    }

    std::span<const ScannedFile> files_;
    const std::string& pack_set_;
    std::span<const CopiedPack> packs_;
    std::vector<uint32_t> index_of_task_;
    CopiedFiles result_;
};

}  // namespace

uint64_t CopiedFiles::data_bytes() const {
    uint64_t sum = 0;
    for (const ManifestFile& file : files) sum += file.size;
    return sum;
}

uint64_t CopiedFiles::repository_bytes() const {
    uint64_t sum = 0;
    for (const ManifestPack& pack : packs) sum += pack.stored;
    return sum;
}

uint32_t crc32c_of_zeros(uint64_t length) {
    constexpr std::byte kZero{0};
    uint32_t result = 0;
    uint32_t power = crc32c(ByteView(&kZero, 1));
    for (uint64_t power_length = 1; length > 0; power_length *= 2, length /= 2) {
        if (length % 2 != 0) result = crc32c_combine(result, power, power_length);
        power = crc32c_combine(power, power, power_length);
    }
    return result;
}

Result<CopiedFiles> copy_files(const CopyOptions& options, std::span<const ScannedFile> files, const CopyPlan& plan,
                               std::span<const Repository> repositories, CopyCounters& counters, const CancelToken& cancel) {
    std::vector<CopiedPack> packs(plan.packs.size());
    std::atomic<uint32_t> next_task{0};
    std::mutex mutex;
    std::vector<CopiedPiece> pieces;
    std::vector<BadPage> bad_pages;
    const int workers = static_cast<int>(std::clamp<size_t>(plan.packs.size(), 1, static_cast<size_t>(options.workers)));
    const auto work = [&](int, const CancelToken& stop) -> Result<void> {
        CopyWorker worker(options, files, repositories, counters);
        TRY(worker.run(plan, next_task, packs, stop));
        const std::lock_guard lock(mutex);
        std::ranges::copy(worker.pieces(), std::back_inserter(pieces));
        std::ranges::copy(worker.bad_pages(), std::back_inserter(bad_pages));
        return {};
    };
    TRY(run_workers(workers, cancel, work));
    CopiedFiles copied = Assembly(files, options.pack_set, packs).make(std::move(pieces));
    copied.bad_pages = std::move(bad_pages);
    std::ranges::sort(copied.bad_pages, {}, [](const BadPage& page) { return std::tie(page.path, page.offset); });
    return copied;
}

}  // namespace steward
