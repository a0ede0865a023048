// Packs being filled, one after the other, with the tables of their pages.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/backup/manifest.h"
#include "core/backup/pack_store.h"
#include "core/backup/page_table.h"
#include "core/repository/object.h"
#include "core/repository/repository.h"

namespace steward {

/// Where content went.
struct PackPlace {
    unsigned number = 0;  ///< of the pack, in its set
    uint64_t offset = 0;  ///< in its content
};

/// Fills packs and hands them to the store. For one thread; several writers share one counter of pack numbers.
class PackWriter {
public:
    /// Borrows all but `set`; packs are numbered from what `next_number` says.
    PackWriter(std::span<const Repository> repositories, std::string set, Compression compression, Pace pace,
               std::atomic<unsigned>& next_number, std::atomic<uint64_t>& repository_bytes)
        : system_identifier_(repositories.front().identity().system_identifier),
          set_(set),
          next_number_(next_number),
          repository_bytes_(repository_bytes),
          builder_(compression, pace),
          store_(repositories, std::move(set)) {}

    /// About `length` bytes are to follow, which is worth knowing when a pack is begun.
    void expect(uint64_t length);

    /// Make the next byte begin a page of the pack.
    void align_to_page();

    /// Where the next byte goes.
    PackPlace place();

    /// The unfilled rest of a frame, never empty: write there, then call `filled`.
    MutableByteView room() { return builder_.room(); }
    void filled(size_t n) { builder_.filled(n); }
    void add(ByteView content) { builder_.add(content); }
    /// Note the digest of a page that is about to be added, at place() and `ahead` bytes more.
    void note_page(uint64_t digest, uint64_t ahead = 0) { table_.note(builder_.position() + ahead, digest); }

    /// Bytes in the pack that is being filled.
    uint64_t size() const { return builder_.position(); }

    /// Finish the pack, if there is one, and begin another. Errors: as PackStore::hand_over.
    Result<void> close();

    /// Finish the pack, and wait until all packs are durable. Errors: as PackStore::finish.
    Result<void> finish();

    /// Packs that were finished, in their order.
    const std::vector<ManifestPack>& packs() const { return packs_; }

private:
    const uint64_t system_identifier_;
    const std::string set_;
    std::atomic<unsigned>& next_number_;
    std::atomic<uint64_t>& repository_bytes_;
    ObjectBuilder builder_;
    PageTable table_;
    PackStore store_;
    bool open_ = false;  ///< the pack has its number
    unsigned number_ = 0;
    std::vector<ManifestPack> packs_;
};

}  // namespace steward
