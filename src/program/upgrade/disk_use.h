// What directories take on disk.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <utility>

namespace steward {

/// Adds up trees. A file that has several names counts once, whichever tree has them.
class DiskUse {
public:
    /// Count `path` and what is below it; links are not followed, and what goes away meanwhile is not counted.
    void add(const std::filesystem::path& path);

    /// Bytes of blocks that were counted.
    uint64_t taken() const { return taken_; }
    /// Of these, what would be given back if all that was counted were removed: files with names elsewhere stay.
    uint64_t given_back() const;

private:
    struct SharedFile {
        uint64_t bytes = 0;
        nlink_t names = 0;  ///< that it has
        nlink_t seen = 0;   ///< of these
    };

    void count(const std::filesystem::path& path);

    uint64_t taken_ = 0;
    std::map<std::pair<dev_t, ino_t>, SharedFile> shared_;
};

}  // namespace steward
