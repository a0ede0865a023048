#include "core/backup/page_check.h"

#include <array>
#include <chrono>
#include <thread>

#include "core/postgres/page.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

/// Pauses before each further reading. Writing a page takes microseconds, but the writer may lose its processor in the middle
/// of it; there is no condition that could be waited for instead.
constexpr std::array<std::chrono::microseconds, 5> kPauses = {0us, 200us, 1000us, 5000us, 25000us};
/// From so many bad pages on it is damage and not bad luck: no more pauses, which would add up.
constexpr size_t kPatience = 32;

}  // namespace

std::optional<RelationFile> PageCheck::checked_file(const std::string& path) const {
    return enabled_ ? parse_relation_path(path) : std::nullopt;
}

Result<void> PageCheck::verify(const RelationFile& file, const std::string& path, int fd, uint64_t offset, MutableByteView content) {
    auto block_number = static_cast<uint32_t>(file.segment * pages_per_segment_ + offset / kPageSize);
    for (size_t position = 0; position + kPageSize <= content.size(); position += kPageSize, ++block_number) {
        const MutableByteView page = content.subspan(position, kPageSize);
        if (verify_page(page, block_number) == PageVerdict::kBadChecksum) TRY(recheck(path, fd, offset + position, block_number, page));
    }
    return {};
}

Result<void> PageCheck::recheck(const std::string& path, int fd, uint64_t offset, uint32_t block_number, MutableByteView page) {
    for (const std::chrono::microseconds pause : kPauses) {
        if (pause > 0us && bad_pages_.size() < kPatience) std::this_thread::sleep_for(pause);
        TRY_ASSIGN(const size_t n, read_(fd, offset, page, path));
        // Truncated meanwhile: replay will do the same.
        if (n < page.size()) return {};
        if (verify_page(page, block_number) != PageVerdict::kBadChecksum) return {};
    }
    const PageHeader header = read_page_header(page);
    if (header.lsn >= start_lsn_ && !is_new_page(page)) return {};
    bad_pages_.push_back({path, offset, block_number, page_checksum(page, block_number), header.checksum});
    return {};
}

}  // namespace steward
