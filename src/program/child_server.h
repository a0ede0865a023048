// A server that runs as a child process of ours.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "core/storage/retry_storage.h"
#include "program/child_process.h"

namespace steward {

/// Whether the server `postmaster` accepts connections; with hot standby off, not before recovery has ended.
bool accepts_connections(const std::filesystem::path& data_directory, pid_t postmaster);

/// End a server without a checkpoint, and wait until nothing of it works in its data directory, for 30 seconds at most.
void end_at_once(ChildProcess& postmaster, const std::filesystem::path& data_directory, RetryTimer& timer);

}  // namespace steward
