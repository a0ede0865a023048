// Telling that a full disk is why a program of an upgrade failed.
#pragma once

#include <filesystem>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace steward {

/// Whether a program's output names a full disk, or a used up quota, as the cause. In the C locale. Pure.
bool names_full_disk(std::string_view output);

/// Bytes beyond what a program's log holds are set aside before it runs: what it says is kept even when it fails because the disk is full.
/// Nothing where the file system cannot, or is full already.
void reserve_log_space(int fd);

/// `error` as no_space, when it is that of a program or server that failed (server_raised, engine_failed) and either says so or has left the
/// file system of one of `places` full: some delete what they have made, others cannot write what is the matter. Any other error as it is.
Error blame_full_disk(Error error, const std::vector<std::filesystem::path>& places);

}  // namespace steward
