// One file of a backup, read into memory.
#pragma once

#include <span>

#include "core/backup/manifest.h"
#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/repository/repository.h"

namespace steward {

/// Files larger than this are not read at once.
inline constexpr uint64_t kLargestStoredFile = uint64_t{1} << 30;

/// Read the content of `file` of `manifest` from the first repository that has it whole, beginning with number `first`.
/// Errors: not_found, corrupt_object and as Storage::read, those of the first repository tried; invalid_argument for one that is too large.
Result<Bytes> read_stored_file(std::span<const Repository> repositories, size_t first, const Manifest& manifest, const ManifestFile& file);

}  // namespace steward
