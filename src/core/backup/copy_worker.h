// One thread of a copy: reads pieces of files and puts what is new into packs.
#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "core/backup/copy.h"
#include "core/backup/pack_writer.h"
#include "core/backup/page_table.h"

namespace steward {

/// Content of a file, stored in one piece.
struct CopiedRun {
    uint64_t offset = 0;  ///< in the file
    uint64_t length = 0;
    uint32_t pack = 0;    ///< number of a new pack, or index of one of the base's
    uint64_t pack_offset = 0;
    bool of_base = false;
};

constexpr bool are_in_one_pack(const CopiedRun& one, const CopiedRun& other) { return one.of_base == other.of_base && one.pack == other.pack; }

/// What became of one piece.
struct CopiedPiece {
    uint32_t file = 0;
    uint64_t offset = 0;
    uint64_t length = 0;  ///< as found; 0 beyond the end of a truncated file
    std::optional<uint32_t> crc{0};  ///< of the length; nothing when not all of it was read
    std::optional<Digest> digest{};
    std::vector<CopiedRun> runs{};
    bool vanished = false;
};

/// Borrows everything for its lifetime. For one thread.
class CopyWorker {
public:
    CopyWorker(const CopyOptions& options, const CopySource& source, std::span<const Repository> repositories, CopyCounters& counters,
               std::atomic<unsigned>& next_pack, Log& log);

    /// Take tasks off the plan until none are left. Durable on return. Errors: as copy_files.
    Result<void> run(const CopyPlan& plan, std::atomic<uint32_t>& next_task, const CancelToken& cancel);

    const std::vector<CopiedPiece>& pieces() const { return pieces_; }
    const std::vector<ManifestPack>& packs() const { return packs_.packs(); }
    const std::vector<BadPage>& bad_pages() const { return page_check_.bad_pages(); }

private:
    /// An open file, as its pieces are copied.
    struct OpenPiece {
        const ScannedFile& file;
        const FileTreatment& treatment;
        std::filesystem::path path;
        int fd;
        bool relation;
        std::optional<RelationFile> checked;  ///< when its pages have checksums to verify
    };

    Result<void> do_task(const PackTask& task, const CancelToken& cancel);
    Result<void> take(const CopyPiece& piece, const CancelToken& cancel);
    Result<void> copy_open(const CopyPiece& piece, const OpenPiece& open, CopiedPiece& copied, const CancelToken& cancel);
    Result<void> copy_content(const OpenPiece& open, uint64_t length, CopiedPiece& copied, const CancelToken& cancel);
    Result<void> compare_pages(const OpenPiece& open, uint64_t length, CopiedPiece& copied, const CancelToken& cancel);
    Result<void> compare_whole(const OpenPiece& open, uint64_t length, CopiedPiece& copied, const CancelToken& cancel);
    Result<void> patch(const OpenPiece& open, CopiedPiece& copied, const CancelToken& cancel);

    Result<MutableByteView> read(const OpenPiece& open, uint64_t offset, MutableByteView into, const CancelToken& cancel);
    std::optional<CopiedRun> same_in_base(const OpenPiece& open, std::span<const ManifestRun> base, uint64_t offset, ByteView page, uint64_t digest);
    void add_page(ByteView page, uint64_t digest, uint64_t offset, CopiedPiece& copied);
    void keep_base(const OpenPiece& open, uint64_t begin, uint64_t end, CopiedPiece& copied);
    const FileTreatment& treatment_of(uint32_t file) const;

    const CopyOptions& options_;
    const CopySource& source_;
    CopyCounters& counters_;
    PackWriter packs_;
    PageCheck page_check_;
    std::optional<PageTableReader> base_pages_;
    Bytes buffer_;
    std::vector<CopiedPiece> pieces_;
};

}  // namespace steward
