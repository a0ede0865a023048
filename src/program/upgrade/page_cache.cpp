#include "program/upgrade/page_cache.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <functional>
#include <system_error>

#include "core/base/file.h"

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Mapped at once: a gigabyte, the most that a file of PostgreSQL has by default.
constexpr uint64_t kMostMapped = uint64_t{1} << 30;

uint64_t size_of(int fd) {
    struct stat st;
    return ::fstat(fd, &st) == 0 ? static_cast<uint64_t>(st.st_size) : 0;
}

void for_each_file(const fs::path& directory, const std::function<void(const std::string& name, int fd)>& look) {
    std::error_code problem;
    for (fs::recursive_directory_iterator entry(directory, fs::directory_options::skip_permission_denied, problem), end; !problem && entry != end; entry.increment(problem)) {
        std::error_code ignored;
        if (!fs::is_regular_file(entry->symlink_status(ignored))) continue;
        const Result<UniqueFd> file = open_file(entry->path(), O_RDONLY | O_NOFOLLOW | O_NOATIME);
        if (file.ok()) look(entry->path().lexically_relative(directory), file->get());
    }
}

void look_at_range(int fd, uint64_t begin, uint64_t length, uint64_t page, std::vector<bool>& chunks) {
    void* const mapped = ::mmap(nullptr, length, PROT_NONE, MAP_SHARED, fd, static_cast<off_t>(begin));
    if (mapped == MAP_FAILED) return;
    std::vector<unsigned char> resident((length + page - 1) / page);
    const bool told = ::mincore(mapped, length, resident.data()) == 0;
    ::munmap(mapped, length);
    const size_t pages_in_chunk = kCacheChunk / page;
    for (size_t first = 0; told && first < resident.size(); first += pages_in_chunk) {
        const size_t count = std::min(pages_in_chunk, resident.size() - first);
        const auto begins = resident.begin() + static_cast<ptrdiff_t>(first);
        const auto cached = static_cast<size_t>(std::count_if(begins, begins + static_cast<ptrdiff_t>(count), [](unsigned char bits) { return (bits & 1) != 0; }));
        chunks[begin / kCacheChunk + first / pages_in_chunk] = 2 * cached >= count;
    }
}

/// Advise on runs of chunks that are alike, one call for each.
void advise(int fd, const std::vector<bool>& chunks, uint64_t size) {
    const size_t count = (size + kCacheChunk - 1) / kCacheChunk;
    const auto is_cached = [&](size_t i) { return i < chunks.size() && chunks[i]; };
    for (size_t first = 0; first < count;) {
        size_t end = first + 1;
        while (end < count && is_cached(end) == is_cached(first)) ++end;
        ::posix_fadvise(fd, static_cast<off_t>(first * kCacheChunk), static_cast<off_t>((end - first) * kCacheChunk), is_cached(first) ? POSIX_FADV_WILLNEED : POSIX_FADV_DONTNEED);
        first = end;
    }
}

}  // namespace

CachedChunks look_at_cache(const fs::path& directory) {
    CachedChunks all;
    const auto page = static_cast<uint64_t>(::sysconf(_SC_PAGESIZE));
    for_each_file(directory, [&](const std::string& name, int fd) {
        const uint64_t size = size_of(fd);
        std::vector<bool> chunks((size + kCacheChunk - 1) / kCacheChunk);
        for (uint64_t begin = 0; begin < size; begin += kMostMapped) look_at_range(fd, begin, std::min(kMostMapped, size - begin), page, chunks);
        all.emplace(name, std::move(chunks));
    });
    return all;
}

void imitate_cache(const fs::path& directory, const CachedChunks& chunks) {
    for_each_file(directory, [&](const std::string& name, int fd) {
        const auto found = chunks.find(name);
        advise(fd, found == chunks.end() ? std::vector<bool>() : found->second, size_of(fd));
    });
}

}  // namespace steward
