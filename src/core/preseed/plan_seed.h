// The decision what happens to a data directory before its server starts: evidence in, decision out, no I/O.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/preseed/seed_evidence.h"

namespace steward {

/// What the operator allows.
struct SeedRequest {
    bool restore = false;
    bool initialize = false;
    std::optional<uint64_t> expected_identifier;
};

enum class RepositoryState {
    kUnreachable,    ///< not known what it holds
    kEmpty,          ///< reached; nobody has used the cluster's name in it
    kWithoutBackup,  ///< reached; the name is some cluster's, which has no backup
    kWithBackups,
};

/// "unreachable", "empty", "without backup", "with backups".
std::string_view to_string(RepositoryState state);

/// What is known of one repository, in the order in which they are tried.
struct RepositoryEvidence {
    std::string url;
    RepositoryState state = RepositoryState::kUnreachable;
    std::optional<uint64_t> system_identifier;  ///< of the cluster of this name
    std::string problem;                        ///< kUnreachable: why
    std::vector<uint64_t> former = {};          ///< of those that had the name before it and have backups, the latest first
};

enum class SeedAction { kPresent, kRestore, kInitialize, kRefuse };

/// "present", "restore", "initialize", "refuse".
std::string_view to_string(SeedAction action);

struct SeedDecision {
    SeedAction action = SeedAction::kRefuse;
    std::string reason;               ///< a full sentence
    std::vector<std::string> notes;   ///< what else the operator should know, full sentences
    std::filesystem::path workplace;  ///< kRestore, kInitialize: where it is made
    bool resume = false;              ///< kRestore: the workplace holds what an interrupted one left
    std::vector<size_t> repositories; ///< kRestore: which ones serve, all of one cluster
    std::optional<uint64_t> system_identifier;  ///< kPresent, kRestore
    /// kRefuse. Codes: wrong_state for a volume that is not mounted, and for an upgrade that is to be ended first; busy while that is at work;
    /// already_exists for content that is no cluster; corrupt_object for a damaged cluster; foreign_repository for another cluster than the expected one; network when a repository that could not be reached
    /// may have what is missing; not_found when there is nothing and nothing may be made; configuration; invalid_argument.
    std::optional<Error> refusal;
};

/// Whether the decision depends on what the repositories hold.
bool needs_repositories(const SeedEvidence& evidence, const SeedRequest& request);

/// Decide. `repositories` are all that are configured when needs_repositories says so; else they are not looked at. Pure.
///
/// An empty cluster is made only where nothing is, by the operator's consent, and never when data may exist: not beside what an interrupted
/// restore left or beside the journal of an upgrade, not with an expected identifier, not when a repository has this cluster's name, and, when a
/// restore was asked for too, not before every repository was reached. Nothing at all is made while an upgrade may hold the only copy.
SeedDecision decide_seed(const SeedRequest& request, const SeedEvidence& evidence, std::span<const RepositoryEvidence> repositories);

}  // namespace steward
