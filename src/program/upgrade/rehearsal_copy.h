// A copy of a cluster that has nothing in common with it: its tablespaces and its WAL are directories of its own.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/proof/scratch_directory.h"
#include "program/upgrade/copy_tree.h"

namespace steward {

/// A directory of a cluster, and where the rehearsal's cluster has its own.
struct RehearsedDirectory {
    std::filesystem::path original, copy;
};

/// The directories that a cluster of `major` is in: the data directory first, then its WAL where that is elsewhere, and what is the major's own in
/// each tablespace. A tablespace in the data directory itself is part of that.
std::vector<RehearsedDirectory> directories_of(const std::filesystem::path& cluster, int major, const ScratchDirectory& scratch);

/// Copy `directories`, as directories_of gives them, and have the copy's links lead to its own directories. What a link in the data directory leads
/// to elsewhere is copied to the link's place. The server is down. Durable on return. Errors: wrong_state for a link that cannot be followed; those of
/// copy_tree.
Result<CopiedTree> copy_cluster(const std::vector<RehearsedDirectory>& directories, const ScratchDirectory& scratch, const CancelToken& cancel);

/// Have the WAL of the rehearsal's cluster be elsewhere, as that of `cluster` is; nothing is done where it is not. Errors: by errno.
Result<void> move_wal_elsewhere(const std::filesystem::path& cluster, const ScratchDirectory& scratch);

/// What a server of the copy must not do: archive, listen, replicate, run jobs, write files elsewhere. Goes into its postgresql.auto.conf, which the
/// upgrade carries over. Errors: by errno.
Result<void> isolate_copy(const std::filesystem::path& data_directory);

}  // namespace steward
