// An empty cluster of the new major, made as the real one would be: to ask it, and to show it to pg_upgrade --check.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

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

    TrialCluster(TrialCluster&& other) noexcept
        : scratch_(std::move(other.scratch_)), sockets_(std::move(other.sockets_)), bindir_(std::move(other.bindir_)), major_(other.major_) {
        other.scratch_.clear();
        other.sockets_.clear();
    }
    /// Removes it.
    ~TrialCluster();

    /// Append lines to its postgresql.conf. Errors: by errno.
    Result<void> configure(const std::vector<std::string>& lines) const;

    std::filesystem::path data_directory() const { return scratch_ / "data"; }
    /// A directory for files of pg_upgrade.
    const std::filesystem::path& scratch() const { return scratch_; }
    /// A directory for sockets, whose addresses have 107 bytes: often the same.
    const std::filesystem::path& sockets() const { return sockets_; }
    const std::filesystem::path& bindir() const { return bindir_; }
    SingleUserServer server() const;

private:
    TrialCluster(std::filesystem::path bindir, int major) : bindir_(std::move(bindir)), major_(major) {}

    std::filesystem::path scratch_, sockets_;  ///< empty when it was moved from
    std::filesystem::path bindir_;
    int major_ = 0;
};

}  // namespace steward
