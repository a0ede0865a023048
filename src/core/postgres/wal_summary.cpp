#include "core/postgres/wal_summary.h"

#include <algorithm>
#include <array>

#include "core/base/format.h"
#include "core/postgres/crc32c.h"

namespace steward {

namespace {

// src/common/blkreftable.c and src/include/common/blkreftable.h, the same in 17 to 19.
constexpr uint32_t kMagic = 0x652b137b;
constexpr uint32_t kBlocksPerChunk = 1 << 16;
constexpr uint32_t kEntriesPerChunk = kBlocksPerChunk / 16;  ///< a chunk with more blocks than this is a bitmap of as many words
constexpr uint32_t kNoLimit = 0xFFFFFFFF;                     ///< InvalidBlockNumber
constexpr uint32_t kLastFork = 3;                             ///< INIT_FORKNUM
constexpr std::string_view kSuffix = ".summary";

Error malformed(std::string detail) { return Error(ErrorCode::corrupt_object, "WAL summary is malformed").detail(std::move(detail)); }

/// Reads numbers off the front of a file; remembers when it was too short.
class Reader {
public:
    explicit Reader(ByteView content) : rest_(content) {}

    template <typename T>
    T number() {
        const ByteView bytes = take(sizeof(T));
        return bytes.empty() ? T{0} : load_le<T>(bytes.data());
    }
    /// `n` bytes, or none when they are not there.
    ByteView take(size_t n) {
        if (n > rest_.size()) {
            short_ = true;
            rest_ = {};
            return {};
        }
        const ByteView taken = rest_.first(n);
        rest_ = rest_.subspan(n);
        return taken;
    }
    size_t left() const { return rest_.size(); }
    bool is_short() const { return short_; }

private:
    ByteView rest_;
    bool short_ = false;
};

void add_bitmap(ByteView words, uint32_t first_block, std::vector<uint32_t>& blocks) {
    for (uint32_t word = 0; word < kEntriesPerChunk; ++word) {
        const auto bits = load_le<uint16_t>(words.data() + word * sizeof(uint16_t));
        for (uint32_t bit = 0; bit < 16; ++bit)
            if ((bits >> bit & 1) != 0) blocks.push_back(first_block + word * 16 + bit);
    }
}

void add_offsets(ByteView offsets, uint32_t first_block, std::vector<uint32_t>& blocks) {
    for (size_t at = 0; at < offsets.size(); at += sizeof(uint16_t)) blocks.push_back(first_block + load_le<uint16_t>(offsets.data() + at));
}

std::optional<uint32_t> hex32(std::string_view digits) {
    uint32_t value = 0;
    for (const char c : digits) {
        const bool digit = c >= '0' && c <= '9', letter = c >= 'A' && c <= 'F';
        if (!digit && !letter) return std::nullopt;
        value = value << 4 | static_cast<uint32_t>(digit ? c - '0' : c - 'A' + 10);
    }
    return value;
}

}  // namespace

std::optional<WalSummaryName> parse_wal_summary_name(std::string_view name) {
    if (name.size() != 40 + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
    std::array<uint32_t, 5> parts;
    for (size_t i = 0; i < parts.size(); ++i) {
        const std::optional<uint32_t> part = hex32(name.substr(i * 8, 8));
        if (!part) return std::nullopt;
        parts[i] = *part;
    }
    const WalSummaryName parsed{parts[0], Lsn{uint64_t{parts[1]} << 32 | parts[2]}, Lsn{uint64_t{parts[3]} << 32 | parts[4]}};
    if (parsed.timeline == 0 || parsed.begin >= parsed.end) return std::nullopt;
    return parsed;
}

std::string to_string(const WalSummaryName& name) {
    return formatted("{:08X}{:016X}{:016X}{}", name.timeline, name.begin.value, name.end.value, kSuffix);
}

WalSummaryCover cover_with_summaries(std::vector<WalSummaryName> available, TimelineId timeline, Lsn begin, Lsn end) {
    std::erase_if(available, [&](const WalSummaryName& name) { return name.timeline != timeline || name.end <= begin || name.begin >= end; });
    std::ranges::sort(available, {}, [](const WalSummaryName& name) { return std::pair(name.begin, name.end); });
    WalSummaryCover cover{{}, begin};
    for (const WalSummaryName& name : available) {
        if (name.begin > cover.reached) break;
        cover.names.push_back(name);
        cover.reached = std::max(cover.reached, name.end);
    }
    cover.reached = std::min(cover.reached, end);
    return cover;
}

Result<void> ChangedBlocks::add(ByteView content) {
    if (content.size() < 2 * sizeof(uint32_t)) return malformed("It is too short.");
    const uint32_t stored_crc = load_le<uint32_t>(content.data() + content.size() - sizeof(uint32_t));
    const ByteView table = content.first(content.size() - sizeof(uint32_t));
    if (crc32c(table) != stored_crc) return malformed("Its checksum is wrong.");
    Reader in(table);
    if (in.number<uint32_t>() != kMagic) return malformed("It does not begin with the magic of block reference tables.");
    for (;;) {
        const auto tablespace = in.number<uint32_t>(), database = in.number<uint32_t>(), relation = in.number<uint32_t>();
        const auto fork = in.number<uint32_t>(), limit = in.number<uint32_t>(), chunks = in.number<uint32_t>();
        if (in.is_short()) return malformed("It ends within an entry.");
        // An entry of zeros ends the table; no relation is in tablespace 0.
        if (tablespace == 0) return in.left() == 0 ? Result<void>() : malformed("Something follows its end.");
        if (fork > kLastFork) return malformed(formatted("It names fork {}.", fork));
        // The size is checked before memory is asked for.
        const ByteView usage = in.take(chunks * sizeof(uint16_t));
        if (in.is_short()) return malformed("It ends within an entry.");
        // CREATE DATABASE by copying files leaves an entry without a relation.
        if (relation == 0) new_databases_.insert({tablespace, database});
        Entry& entry = forks_[{tablespace, database, relation, fork}];
        if (limit != kNoLimit) entry.fork.limit = std::min(entry.fork.limit.value_or(limit), limit);
        for (uint32_t chunk = 0; chunk < chunks; ++chunk) {
            const auto used = load_le<uint16_t>(usage.data() + chunk * sizeof(uint16_t));
            if (used > kEntriesPerChunk) return malformed("A chunk has more entries than fit.");
            const ByteView words = in.take(used * sizeof(uint16_t));
            if (in.is_short()) return malformed("It ends within a chunk.");
            (used == kEntriesPerChunk ? add_bitmap : add_offsets)(words, chunk * kBlocksPerChunk, entry.fork.blocks);
        }
        entry.sorted = false;
    }
}

const ChangedBlocks::Fork* ChangedBlocks::find(const RelationFile& file) {
    const auto found = forks_.find({file.tablespace, file.database, file.relation_number, static_cast<uint32_t>(file.fork)});
    if (found == forks_.end()) return nullptr;
    Entry& entry = found->second;
    if (!entry.sorted) {
        std::vector<uint32_t>& blocks = entry.fork.blocks;
        std::sort(blocks.begin(), blocks.end());
        blocks.erase(std::unique(blocks.begin(), blocks.end()), blocks.end());
        entry.sorted = true;
    }
    return &entry.fork;
}

}  // namespace steward
