// Writes WAL summaries as the server does (WriteBlockRefTable in src/common/blkreftable.c), for tests.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "core/base/bytes.h"
#include "core/postgres/crc32c.h"
#include "core/postgres/relation_file.h"

namespace steward {

class WalSummaryWriter {
public:
    void touch(const RelationFile& file, uint32_t block) { entry(file).blocks.insert(block); }
    /// The relation's blocks from `limit` on are gone, or begin anew.
    void limit(const RelationFile& file, uint32_t limit) {
        Entry& known = entry(file);
        known.limit = std::min(known.limit.value_or(limit), limit);
    }
    void new_database(Oid tablespace, Oid database) { limit({.tablespace = tablespace, .database = database, .relation_number = 0}, 0); }

    Bytes content() const {
        put(0x652b137b);
        for (const auto& [key, known] : entries_) {
            const auto& [tablespace, database, relation, fork] = key;
            const uint32_t chunks = known.blocks.empty() ? 0 : *known.blocks.rbegin() / kChunk + 1;
            for (const uint32_t number : {tablespace, database, relation, fork, known.limit.value_or(UINT32_MAX), chunks}) put(number);
            std::vector<std::vector<uint16_t>> offsets(chunks);
            for (const uint32_t block : known.blocks) offsets[block / kChunk].push_back(static_cast<uint16_t>(block % kChunk));
            for (const auto& chunk : offsets) put(static_cast<uint16_t>(std::min<size_t>(chunk.size(), kBitmapWords)));
            for (const auto& chunk : offsets) put_chunk(chunk);
        }
        for (int i = 0; i < 6; ++i) put(uint32_t{0});
        put(crc32c(bytes_));
        return std::exchange(bytes_, {});
    }

private:
    struct Entry {
        std::optional<uint32_t> limit;
        std::set<uint32_t> blocks;
    };
    static constexpr uint32_t kChunk = 65536;
    static constexpr size_t kBitmapWords = 4096;

    Entry& entry(const RelationFile& file) {
        return entries_[{file.tablespace, file.database, file.relation_number, static_cast<uint32_t>(file.fork)}];
    }
    template <typename T>
    void put(T number) const {
        bytes_.resize(bytes_.size() + sizeof number);
        store_le(bytes_.data() + bytes_.size() - sizeof number, number);
    }
    void put_chunk(const std::vector<uint16_t>& offsets) const {
        if (offsets.size() < kBitmapWords) {
            for (const uint16_t offset : offsets) put(offset);
            return;
        }
        std::vector<uint16_t> words(kBitmapWords, 0);
        for (const uint16_t offset : offsets) words[offset / 16] = static_cast<uint16_t>(words[offset / 16] | 1u << offset % 16);
        for (const uint16_t word : words) put(word);
    }

    std::map<std::tuple<Oid, Oid, uint32_t, uint32_t>, Entry> entries_;
    mutable Bytes bytes_;
};

}  // namespace steward
