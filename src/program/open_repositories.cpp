#include "program/open_repositories.h"

#include "core/base/format.h"

namespace steward {

namespace {

Result<std::unique_ptr<Storage>> open_patient_storage(const StorageUrl& url, StorageAccess access, const ReadingContext& context) {
    TRY_ASSIGN(std::unique_ptr<Storage> storage, open_storage(url, {.clock = context.clock, .create = false, .access = access}));
    RetryPolicy policy;
    policy.total = context.patience;
    return std::unique_ptr<Storage>(std::make_unique<RetryStorage>(std::move(storage), policy, context.timer, context.cancel));
}

Result<Repository> open_repository(const StorageUrl& url, const std::string& cluster, StorageAccess access, const ReadingContext& context) {
    TRY_ASSIGN(std::unique_ptr<Storage> storage, open_patient_storage(url, access, context));
    return Repository::open(std::move(storage), cluster, context.system_identifier);
}

Error foreign(const Repository& repository, const Repository& first) {
    return Error(ErrorCode::foreign_repository, formatted("repository \"{}\" holds another database cluster as \"{}\"", repository.url(), repository.cluster()))
        .detail(formatted("Its system identifier is {}, that of \"{}\" is {}.", repository.identity().system_identifier, first.url(),
                          first.identity().system_identifier))
        .object(repository.url());
}

Result<OpenedRepositories> open_repositories(const Settings& settings, StorageAccess access, const ReadingContext& context) {
    if (settings.repositories.empty())
        return Error(ErrorCode::configuration, "no repository is configured")
            .hint("Name it with --repository URL, PG_STEWARD_REPOSITORY or a configuration file.");
    OpenedRepositories opened;
    for (const StorageUrl& url : settings.repositories) {
        Result<Repository> repository = open_repository(url, settings.cluster, access, context);
        if (!repository.ok())
            opened.unavailable.push_back(std::move(repository).error());
        else if (!opened.repositories.empty() &&
                 repository->identity().system_identifier != opened.repositories.front().identity().system_identifier)
            opened.unavailable.push_back(foreign(*repository, opened.repositories.front()));
        else
            opened.repositories.push_back(std::move(repository).value());
    }
    if (opened.repositories.empty()) return std::move(opened.unavailable.front());
    return opened;
}

}  // namespace

Result<std::unique_ptr<Storage>> open_storage_for_reading(const StorageUrl& url, const ReadingContext& context) {
    return open_patient_storage(url, StorageAccess::kReadOnly, context);
}

Result<OpenedRepositories> open_repositories_for_reading(const Settings& settings, const ReadingContext& context) {
    return open_repositories(settings, StorageAccess::kReadOnly, context);
}

Result<OpenedRepositories> open_repositories_for_writing(const Settings& settings, const ReadingContext& context) {
    return open_repositories(settings, StorageAccess::kReadWrite, context);
}

}  // namespace steward
