#include "core/postgres/commit_log.h"

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/page.h"

namespace steward {

namespace {

constexpr uint32_t kTransactionsPerByte = 4;
constexpr uint32_t kBitsPerTransaction = 2;
constexpr uint32_t kTransactionsPerSegment = kTransactionsPerByte * kPageSize * 32;  // SLRU_PAGES_PER_SEGMENT
constexpr uint32_t kFirstNormalTransaction = 3;

}  // namespace

std::optional<TransactionStatus> CommitLog::status_of(uint32_t xid) {
    if (xid < kFirstNormalTransaction) return xid == 0 ? TransactionStatus::kAborted : TransactionStatus::kCommitted;
    const uint32_t number = xid / kTransactionsPerSegment;
    const auto [entry, is_new] = segments_.try_emplace(number);
    if (is_new)
        if (Result<Bytes> content = read_file(directory_ / formatted("{:04X}", number)); content.ok()) entry->second = std::move(*content);
    const size_t at = xid % kTransactionsPerSegment / kTransactionsPerByte;
    if (at >= entry->second.size()) return std::nullopt;
    const unsigned shift = xid % kTransactionsPerByte * kBitsPerTransaction;
    return static_cast<TransactionStatus>(std::to_integer<unsigned>(entry->second[at]) >> shift & 3U);
}

}  // namespace steward
