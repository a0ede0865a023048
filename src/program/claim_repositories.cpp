#include "program/claim_repositories.h"

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/base/format.h"
#include "core/repository/succession.h"
#include "core/storage/storage_url.h"

namespace steward {

Identity identity_of(const ServerFacts& facts) { return {facts.system_identifier, facts.major, facts.wal_segment_size}; }

namespace {

/// Puts what it likes around a storage that was opened.
using Decorate = std::function<std::unique_ptr<Storage>(std::unique_ptr<Storage>)>;

/// The mark of succession, which only matters to a server whose repository is another cluster's.
using Mark = Result<std::optional<Succession>>;

Result<Repository> claim(const StorageUrl& url, const std::string& cluster, const Identity& identity, const Mark& mark, const Clock& clock,
                         const Decorate& decorate) {
    const std::vector<Predecessor> predecessors = mark.ok() ? predecessors_of(identity.system_identifier, *mark) : std::vector<Predecessor>();
    TRY_ASSIGN(std::unique_ptr<Storage> storage, open_storage(url, {.clock = clock}));
    Result<Repository> repository = Repository::open_or_claim(decorate(std::move(storage)), cluster, identity, clock, predecessors);
    if (!repository.ok() && repository.error().code() == ErrorCode::foreign_repository && !mark.ok()) return mark.error();
    return repository;
}

Result<std::vector<Repository>> claim_all(const Settings& settings, const ServerFacts& facts, const Clock& clock, const Decorate& decorate) {
    if (settings.repositories.empty())
        return Error(ErrorCode::configuration, "no repository is set").hint("Set \"steward.repository\" in postgresql.conf and reload.");
    const Mark mark = read_succession(facts.data_directory);
    std::vector<Repository> repositories;
    for (const StorageUrl& url : settings.repositories) {
        TRY_ASSIGN(Repository repository, claim(url, settings.cluster, identity_of(facts), mark, clock, decorate).context([&] {
            return formatted("while opening repository \"{}\"", url.to_string());
        }));
        repositories.push_back(std::move(repository));
    }
    return repositories;
}

}  // namespace

Result<std::vector<Repository>> claim_repositories(const Settings& settings, const ServerFacts& facts, const Clock& clock) {
    return claim_all(settings, facts, clock, [](std::unique_ptr<Storage> storage) { return storage; });
}

Result<std::vector<Repository>> claim_repositories_patiently(const Settings& settings, const ServerFacts& facts, const Clock& clock,
                                                             RetryTimer& timer, const CancelToken& cancel) {
    return claim_all(settings, facts, clock, [&](std::unique_ptr<Storage> storage) -> std::unique_ptr<Storage> {
        return std::make_unique<RetryStorage>(std::move(storage), RetryPolicy{}, timer, cancel);
    });
}

}  // namespace steward
