#include "core/repository/wal_tail.h"

#include <algorithm>

namespace steward {

namespace {

Result<std::vector<WalTail>> list_under(const Repository& repository, const std::string& prefix) {
    std::vector<WalTail> tails;
    const uint32_t size = repository.identity().wal_segment_size;
    TRY(for_each_object(repository.storage(), prefix, [&](const ObjectInfo& object) -> Result<void> {
        const std::optional<WalTailKey> key = repository.layout().parse_wal_tail(object.key);
        if (!key || key->end > size) return {};
        const Result<WalSegmentName> segment = parse_wal_segment_name(key->segment, size);
        if (!segment.ok()) return {};
        if (tails.empty() || tails.back().segment != *segment) tails.push_back({*segment, {}, 0});
        tails.back().pieces.push_back({key->begin, key->end});
        tails.back().repository_bytes += object.size;
        return {};
    }));
    return tails;
}

}  // namespace

std::vector<TailPiece> chain_of(std::span<const TailPiece> pieces) {
    std::vector<TailPiece> chain;
    uint32_t end = 0;
    for (size_t i = 0; i < pieces.size();) {
        TailPiece furthest;
        for (; i < pieces.size() && pieces[i].begin <= end; ++i)
            if (pieces[i].end > furthest.end) furthest = pieces[i];
        if (furthest.end <= end) break;
        chain.push_back(furthest);
        end = furthest.end;
    }
    return chain;
}

uint32_t chain_end(std::span<const TailPiece> pieces) {
    const std::vector<TailPiece> chain = chain_of(pieces);
    return chain.empty() ? 0 : chain.back().end;
}

Result<std::vector<WalTail>> list_wal_tails(const Repository& repository) { return list_under(repository, repository.layout().wal_tails_prefix()); }

Result<std::vector<TailPiece>> list_tail_pieces(const Repository& repository, const std::string& name) {
    TRY_ASSIGN(const std::vector<WalTail> tails, list_under(repository, repository.layout().wal_tail_prefix(name)));
    return tails.empty() ? std::vector<TailPiece>() : tails.front().pieces;
}

}  // namespace steward
