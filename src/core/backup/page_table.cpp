#include "core/backup/page_table.h"

#include <algorithm>

#include "core/base/format.h"
#include "core/postgres/page.h"
#include "core/repository/object_range.h"

namespace steward {

void PageTable::note(uint64_t pack_offset, uint64_t digest) {
    digests_.resize(pack_offset / kPageSize, 0);
    digests_.push_back(digest);
}

uint64_t PageTable::append_to(ObjectBuilder& builder) {
    if (digests_.empty()) return 0;
    const uint64_t offset = builder.position();
    Bytes table(digests_.size() * sizeof(uint64_t));
    for (size_t i = 0; i < digests_.size(); ++i) store_le(table.data() + i * sizeof(uint64_t), digests_[i]);
    builder.add(table);
    digests_.clear();
    return offset;
}

std::optional<uint64_t> PageTableReader::digest_at(uint32_t pack, uint64_t pack_offset) {
    if (pack_offset % kPageSize != 0) return std::nullopt;
    const std::vector<uint64_t>& table = table_of(pack);
    const uint64_t page = pack_offset / kPageSize;
    if (page >= table.size() || table[page] == 0) return std::nullopt;
    return table[page];
}

const std::vector<uint64_t>& PageTableReader::table_of(uint32_t pack) {
    if (const auto found = known_.find(pack); found != known_.end()) {
        recent_.splice(recent_.begin(), recent_, found->second);
        return recent_.front().second;
    }
    Result<std::vector<uint64_t>> table = load_page_table(repository_, packs_[pack]);
    if (!table.ok()) log_.warning("page_table_unreadable", table.error());
    if (recent_.size() >= kRemembered) {
        known_.erase(recent_.back().first);
        recent_.pop_back();
    }
    recent_.emplace_front(pack, table.ok() ? std::move(table).value() : std::vector<uint64_t>());
    known_[pack] = recent_.begin();
    return recent_.front().second;
}

Result<std::vector<uint64_t>> load_page_table(const Repository& repository, const ManifestPack& pack) {
    std::vector<uint64_t> table;
    if (pack.table == 0) return table;
    const std::string key = repository.layout().pack(pack.set, pack.number);
    TRY_ASSIGN(const ObjectHead head, repository.load_head(key, ObjectKind::kPack));
    if (head.plain_length != pack.length || (pack.length - pack.table) % sizeof(uint64_t) != 0 || pack.length == pack.table)
        return Error(ErrorCode::corrupt_object, formatted("object \"{}\" has not the length that the manifest says", key)).object(key);
    ObjectRangeReader reader;
    Bytes bytes;
    for (size_t frame = pack.table / head.frame_size; frame < head.frames.size(); ++frame) {
        TRY_ASSIGN(const ByteView content, reader.read_frames(repository, key, head, frame, frame));
        const uint64_t begin = frame * uint64_t{head.frame_size};
        const ByteView part = content.subspan(begin < pack.table ? pack.table - begin : 0);
        bytes.insert(bytes.end(), part.begin(), part.end());
    }
    table.resize(bytes.size() / sizeof(uint64_t));
    for (size_t i = 0; i < table.size(); ++i) table[i] = load_le<uint64_t>(bytes.data() + i * sizeof(uint64_t));
    return table;
}

}  // namespace steward
