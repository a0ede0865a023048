#include "program/upgrade/disk_use.h"

#include <sys/stat.h>

#include <system_error>

namespace steward {

namespace fs = std::filesystem;

namespace {

/// Of st_blocks, whatever the file system's own blocks are.
constexpr uint64_t kStatBlock = 512;

}  // namespace

void DiskUse::count(const fs::path& path) {
    struct stat st;
    if (::lstat(path.c_str(), &st) != 0) return;
    const uint64_t bytes = static_cast<uint64_t>(st.st_blocks) * kStatBlock;
    if (S_ISDIR(st.st_mode) || st.st_nlink == 1) {
        taken_ += bytes;
        return;
    }
    SharedFile& file = shared_[{st.st_dev, st.st_ino}];
    if (file.seen++ == 0) taken_ += bytes;
    file.bytes = bytes;
    file.names = st.st_nlink;
}

void DiskUse::add(const fs::path& path) {
    count(path);
    std::error_code problem;
    if (!fs::is_directory(fs::symlink_status(path, problem))) return;
    for (fs::recursive_directory_iterator entry(path, fs::directory_options::skip_permission_denied, problem), end; !problem && entry != end; entry.increment(problem))
        count(entry->path());
}

uint64_t DiskUse::given_back() const {
    uint64_t bytes = taken_;
    for (const auto& [inode, file] : shared_)
        if (file.seen < file.names) bytes -= file.bytes;
    return bytes;
}

}  // namespace steward
