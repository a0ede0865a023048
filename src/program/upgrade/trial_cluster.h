// An empty cluster of the new major, made as the real one would be: to ask it, and to show it to pg_upgrade --check.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"
#include "core/upgrade/initdb_arguments.h"
#include "program/single_user/single_user_command.h"

namespace steward {

class TrialCluster {
public:
    /// Make one below the directory for temporary files, about 40 MB. Errors: server_raised with what initdb says; engine_failed; by errno;
    /// cancelled.
    static Result<TrialCluster> make(const std::filesystem::path& bindir, int major, const ClusterTraits& traits, RetryTimer& timer, const CancelToken& cancel);

    TrialCluster(TrialCluster&& other) noexcept : scratch_(std::move(other.scratch_)), bindir_(std::move(other.bindir_)), major_(other.major_) { other.scratch_.clear(); }
    /// Removes it.
    ~TrialCluster();

    std::filesystem::path data_directory() const { return scratch_ / "data"; }
    /// A directory for sockets and logs; its path is short.
    const std::filesystem::path& scratch() const { return scratch_; }
    const std::filesystem::path& bindir() const { return bindir_; }
    SingleUserServer server() const;

private:
    TrialCluster(std::filesystem::path scratch, std::filesystem::path bindir, int major) : scratch_(std::move(scratch)), bindir_(std::move(bindir)), major_(major) {}

    std::filesystem::path scratch_;  ///< empty when it was moved from
    std::filesystem::path bindir_;
    int major_ = 0;
};

}  // namespace steward
