#include "core/restore/wal_fetch.h"

#include "core/archive/wal_push.h"
#include "core/base/format.h"
#include "core/postgres/wal_name.h"

namespace steward {

namespace {

Result<Bytes> load_checked(const Repository& repository, const std::string& name) {
    const std::string key = repository.layout().wal(name);
    TRY_ASSIGN(Bytes content, repository.load(key, wal_object_kind(name)));
    const uint32_t segment_size = repository.identity().wal_segment_size;
    if (classify_wal_file(name) == WalFileKind::kSegment && content.size() != segment_size)
        return Error(ErrorCode::corrupt_object, formatted("object \"{}\" holds {} bytes instead of a segment's {}", key, content.size(), segment_size))
            .object(key);
    return content;
}

}  // namespace

Result<std::optional<FetchedFile>> fetch_wal_file(std::span<const Repository> repositories, const std::string& name) {
    std::optional<Error> failure;
    for (size_t i = 0; i < repositories.size(); ++i) {
        Result<Bytes> content = load_checked(repositories[i], name);
        if (content.ok()) return std::optional(FetchedFile{std::move(content).value(), i});
        if (content.error().code() != ErrorCode::not_found && !failure)
            failure = std::move(content).error().context(formatted("while fetching WAL file \"{}\" from repository \"{}\"", name, repositories[i].url()));
    }
    if (failure) return std::move(*failure);
    // Nobody was asked: that proves nothing.
    if (repositories.empty()) return Error(ErrorCode::configuration, "no repository is configured");
    return std::optional<FetchedFile>();
}

}  // namespace steward
