// One WAL file from several repositories, and what "not found" is worth.
#pragma once

#include <optional>
#include <span>
#include <string>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/repository/repository.h"

namespace steward {

struct FetchedFile {
    Bytes content;
    size_t repository = 0;  ///< which one served, 0-based
};

/// Load the WAL file `name` (classify_wal_file knows it) from the first of `repositories` that has it whole.
///
/// "Nothing" is a proof: every repository was asked, and every one said that the object does not exist. The server ends
/// recovery and begins a new timeline on the strength of it. Errors: when no repository served the file and at least one
/// could not be asked or holds it damaged, the first such error. Every digest is checked, and a segment's size. A segment of which
/// there is only a tail is not found: fetch_wal_tail (wal_tail_fetch.h) is for that.
Result<std::optional<FetchedFile>> fetch_wal_file(std::span<const Repository> repositories, const std::string& name);

}  // namespace steward
