// Tables of page digests: what tells a later backup which pages a pack holds already, and a restore which ones are in place.
//
// A pack's content begins with the pages of files that consist of pages, at page boundaries. Behind all content stands a table with
// a short digest of each of those pages, in their order: 8 bytes, little-endian, zero where a page has none.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/backup/manifest.h"
#include "core/base/log.h"
#include "core/repository/object.h"
#include "core/repository/repository.h"

namespace steward {

/// Digests of the pages of a pack that is being made. For one thread.
class PageTable {
public:
    /// Note the digest of the page that is at `pack_offset`, a multiple of the page size, behind all noted before.
    void note(uint64_t pack_offset, uint64_t digest);

    /// Add the table to the pack's content and begin a new one. Returns its offset in the content; 0 when no page was noted.
    uint64_t append_to(ObjectBuilder& builder);

private:
    std::vector<uint64_t> digests_;
};

/// Looks page digests up in packs of an earlier backup, reading each table once as long as it is remembered. For one thread. Borrows
/// everything for its lifetime.
class PageTableReader {
public:
    /// `packs` are in `repository`; what cannot be read is logged, and known as nothing.
    PageTableReader(const Repository& repository, const std::vector<ManifestPack>& packs, Log& log)
        : repository_(repository), packs_(packs), log_(log) {}

    /// The digest of the page at `pack_offset` of pack number `pack` of the manifest; nothing where it is not known.
    std::optional<uint64_t> digest_at(uint32_t pack, uint64_t pack_offset);

private:
    /// Tables remembered, each of 64 kB for a pack of full size.
    static constexpr size_t kRemembered = 256;

    const std::vector<uint64_t>& table_of(uint32_t pack);

    const Repository& repository_;
    const std::vector<ManifestPack>& packs_;
    Log& log_;
    std::list<std::pair<uint32_t, std::vector<uint64_t>>> recent_;  ///< used last first
    std::map<uint32_t, decltype(recent_)::iterator> known_;
};

/// Read the table of `pack`; empty when it has none. Errors: as Repository::load_head; corrupt_object naming the pack.
Result<std::vector<uint64_t>> load_page_table(const Repository& repository, const ManifestPack& pack);

}  // namespace steward
