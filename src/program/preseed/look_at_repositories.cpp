#include "program/preseed/look_at_repositories.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "core/repository/catalog.h"
#include "program/former_systems.h"

namespace steward {

namespace {

/// Whether the name is free, or the repository of the cluster that has it. Errors: of a store that cannot be reached or read.
Result<std::optional<Repository>> open_if_known(const StorageUrl& url, const std::string& cluster, const ReadingContext& context) {
    TRY_ASSIGN(std::unique_ptr<Storage> storage, open_storage_for_reading(url, context));
    TRY_ASSIGN(const std::vector<std::string> clusters, list_clusters(*storage));
    if (std::ranges::find(clusters, cluster) == clusters.end()) return std::optional<Repository>();
    TRY_ASSIGN(Repository repository, Repository::open(std::move(storage), cluster));
    return std::optional<Repository>(std::move(repository));
}

Result<RepositoryState> state_of(const Repository& repository) {
    Catalog catalog;
    TRY_ASSIGN(const std::vector<BackupSummary> backups, catalog.read(repository));
    // Damaged ones are backups too: that there are some must not look like nothing.
    return backups.empty() && catalog.damaged().empty() ? RepositoryState::kWithoutBackup : RepositoryState::kWithBackups;
}

Result<std::vector<uint64_t>> former_with_backups(const Repository& repository) {
    std::vector<uint64_t> identifiers;
    TRY_ASSIGN(const std::vector<Identity> systems, list_former_systems(repository.storage(), repository.cluster()));
    for (const Identity& former : systems)
        if (has_backup_of(repository, former, {})) identifiers.push_back(former.system_identifier);
    return identifiers;
}

Result<SeenRepository> look_at(const StorageUrl& url, const std::string& cluster, const ReadingContext& context) {
    SeenRepository seen;
    TRY_ASSIGN(seen.repository, open_if_known(url, cluster, context));
    seen.evidence.state = RepositoryState::kEmpty;
    if (!seen.repository) return seen;
    seen.evidence.system_identifier = seen.repository->identity().system_identifier;
    TRY_ASSIGN(seen.evidence.state, state_of(*seen.repository));
    TRY_ASSIGN(seen.evidence.former, former_with_backups(*seen.repository));
    return seen;
}

}  // namespace

Result<std::vector<SeenRepository>> look_at_repositories(const Settings& settings, const ReadingContext& context) {
    std::vector<SeenRepository> all;
    for (const StorageUrl& url : settings.repositories) {
        Result<SeenRepository> seen = look_at(url, settings.cluster, context);
        if (!seen.ok() && seen.error().code() == ErrorCode::cancelled) return std::move(seen).error();
        SeenRepository entry;
        if (seen.ok())
            entry = std::move(seen).value();
        else
            entry.evidence.problem = seen.error().message();
        entry.evidence.url = url.to_string();
        all.push_back(std::move(entry));
    }
    return all;
}

}  // namespace steward
