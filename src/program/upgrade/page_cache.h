// What of a directory's files is in the system's page cache: looked at, and imitated by a copy.
//
// The first read of an upgrade takes what the disk takes or nothing, which is most of its time or none of it. A copy that was just written is
// cached whole, and its original by being read; the files of a server that was just stopped are cached as far as that server has used them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/result.h"

namespace steward {

/// Bytes that are looked at as one: cached or not.
inline constexpr uint64_t kCacheChunk = uint64_t{256} << 10;

/// Chunks of a file from its beginning that are cached, by the file's path below the directory.
using CachedChunks = std::map<std::string, std::vector<bool>>;

/// Look at the regular files of `directory` and below, without following links. A chunk counts as cached when half of its pages are. For the files'
/// owner: to others the system does not tell. What cannot be read counts as not cached. O(pages).
CachedChunks look_at_cache(const std::filesystem::path& directory);

/// Have the system cache of `directory`'s files what `chunks` says and let go of the rest, which must be on disk. As far as it likes to: there are no
/// errors. Files that `chunks` does not name are let go of.
void imitate_cache(const std::filesystem::path& directory, const CachedChunks& chunks);

}  // namespace steward
