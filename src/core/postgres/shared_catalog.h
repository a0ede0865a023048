// The catalogs that all databases share, read without a server.
#pragma once

#include <filesystem>

#include "core/base/bytes.h"
#include "core/base/result.h"
#include "core/postgres/relation_file.h"

namespace steward {

/// Read the heap of a mapped catalog in "global", such as kRoleCatalog: its first gigabyte. Whole and up to date after a shutdown only.
/// Errors: by errno; corrupt_object.
Result<Bytes> read_shared_catalog(const std::filesystem::path& data_directory, Oid catalog);

}  // namespace steward
