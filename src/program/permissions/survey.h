// Everything that is to be judged around one data directory.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/cancel.h"
#include "core/base/error.h"
#include "core/base/result.h"
#include "program/permissions/cluster_walk.h"

namespace steward {

struct SurveyRequest {
    std::filesystem::path data_directory;  ///< absolute
    std::string owner;                     ///< name or number; empty: to whom the data directory belongs
    std::filesystem::path config_file;     ///< absolute; empty: the one that is found
};

/// What the survey found out about the cluster as a whole.
struct SurveyedCluster {
    std::filesystem::path data_directory;
    std::optional<int> major;
    ClusterRules rules;
    std::optional<pid_t> server;  ///< a process of a running server
    std::vector<Error> problems;  ///< what could not be found out, and so was not judged
};

/// Judge all files once, and hand what is wrong to `sink`, with the action that this process can take. Errors: usage, with a hint, when
/// the directory is root's or not this user's and no owner is named; not_found when it holds no cluster; cancelled; by errno; those of `sink`.
Result<SurveyedCluster> survey_permissions(const SurveyRequest& request, const FindingSink& sink, const CancelToken& cancel);

}  // namespace steward
