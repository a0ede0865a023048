#include "core/repository/repository.h"

#include <fmt/ranges.h>

#include <algorithm>

#include "core/base/format.h"
#include "core/repository/identity.h"

namespace steward {

namespace {

/// Far above any object this release writes (WAL segments end at 1 GB), far below what would exhaust memory by a forged size.
constexpr uint64_t kMaxObjectSize = uint64_t{2} << 30;

Error foreign(const Storage& storage, const std::string& cluster, const Identity& theirs, const Identity& mine) {
    return Error(ErrorCode::foreign_repository, formatted("repository \"{}\" holds another database cluster as \"{}\"", storage.url(), cluster))
        .detail(formatted("The repository's system identifier is {}, this server's is {}.", theirs.system_identifier, mine.system_identifier))
        .hint(formatted("Set \"steward.cluster\" to a name of its own for this server, or use another repository. If this is that cluster, upgraded by other "
                        "means than \"pg_steward upgrade\", or taken back from an upgrade, run \"pg_steward succeed --predecessor {}\" on its data directory.",
                        theirs.system_identifier))
        .object(storage.url());
}

/// Take the name over from `theirs`, whose identity is at `key`, when that is a predecessor. Returns whose the name is then.
Result<Identity> take_over(Storage& storage, const std::string& cluster, const std::string& key, const Identity& theirs, Identity mine,
                           std::span<const Predecessor> predecessors, const Clock& clock) {
    const auto predecessor = std::ranges::find(predecessors, theirs.system_identifier, &Predecessor::system_identifier);
    if (predecessor == predecessors.end()) return theirs;
    TRY(check_at_rest(storage, cluster, theirs, *predecessor));
    const unsigned next = *Layout::number_of_identity(cluster, key) + 1;
    mine.predecessor = theirs.system_identifier;
    TRY(put_identity(storage, cluster, next, mine, clock));
    return load_identity(storage, Layout::identity(cluster, next));
}

Error unknown_system(const Storage& storage, const std::string& cluster, uint64_t wanted, const std::vector<Identity>& known) {
    std::vector<std::string> systems;
    for (const Identity& identity : known) systems.push_back(formatted("{} (PostgreSQL {})", identity.system_identifier, identity.major));
    return Error(ErrorCode::not_found, formatted("repository \"{}\" holds no cluster \"{}\" with system identifier {}", storage.url(), cluster, wanted))
        .hint(formatted("Under this name it has {}.", fmt::join(systems, ", ")))
        .object(storage.url());
}

/// Of the identities at `keys`, which are in order, the latest of `wanted`. Damaged ones are no help.
Result<Identity> find_system(Storage& storage, const std::string& cluster, const std::vector<std::string>& keys, uint64_t wanted) {
    std::vector<Identity> known;
    for (auto key = keys.rbegin(); key != keys.rend(); ++key) {
        const Result<Identity> identity = load_identity(storage, *key);
        if (identity.ok() && identity->system_identifier == wanted) return identity;
        if (!identity.ok() && identity.error().retryable()) return identity.error();
        if (identity.ok() && std::ranges::find(known, identity->system_identifier, &Identity::system_identifier) == known.end()) known.push_back(*identity);
    }
    return unknown_system(storage, cluster, wanted, known);
}

}  // namespace

Result<Repository> Repository::open(std::unique_ptr<Storage> storage, std::string cluster, std::optional<uint64_t> system_identifier) {
    TRY_ASSIGN(const std::vector<std::string> keys, list_identities(*storage, cluster));
    if (keys.empty()) {
        TRY_ASSIGN(const std::vector<std::string> clusters, list_clusters(*storage));
        Error error(ErrorCode::not_found, formatted("repository \"{}\" holds no cluster \"{}\"", storage->url(), cluster));
        return std::move(error)
            .object(storage->url())
            .hint(clusters.empty() ? std::string("The repository is empty: check the URL, and that the server has archived something yet.")
                                   : formatted("Choose one of these with --cluster: {}.", fmt::join(clusters, ", ")));
    }
    TRY_ASSIGN(const Identity identity, system_identifier ? find_system(*storage, cluster, keys, *system_identifier) : load_identity(*storage, keys.back()));
    return Repository(std::move(storage), std::move(cluster), identity);
}

Result<Repository> Repository::open_or_claim(std::unique_ptr<Storage> storage, std::string cluster, const Identity& mine, const Clock& clock,
                                             std::span<const Predecessor> predecessors) {
    TRY_ASSIGN(std::vector<std::string> keys, list_identities(*storage, cluster));
    if (keys.empty()) {
        TRY(put_identity(*storage, cluster, 1, mine, clock));
        keys.push_back(Layout::identity(cluster, 1));
    }
    // Read back even after a put: without an atomic if-absent another server may have won.
    TRY_ASSIGN(Identity theirs, load_identity(*storage, keys.back()));
    if (theirs.system_identifier != mine.system_identifier) {
        TRY_ASSIGN(theirs, take_over(*storage, cluster, keys.back(), theirs, mine, predecessors, clock));
    }
    if (theirs.system_identifier != mine.system_identifier) return foreign(*storage, cluster, theirs, mine);
    return Repository(std::move(storage), std::move(cluster), theirs);
}

Result<StoreOutcome> Repository::store(const std::string& key, const BuiltObject& object, ObjectKind kind) const {
    TRY_ASSIGN(const PutOutcome outcome, storage_->put(key, object.parts(), PutMode::kIfAbsent));
    if (outcome == PutOutcome::kCreated) return StoreOutcome::kStored;
    TRY_ASSIGN(const std::optional<StoreOutcome> found, look_up(key, object.content_digest, kind));
    if (found) return *found;
    return Error(ErrorCode::io_error, formatted("object \"{}\" vanished while it was compared", key)).object(key);
}

Result<std::optional<StoreOutcome>> Repository::look_up(const std::string& key, const Digest& digest, ObjectKind kind) const {
    const Result<ObjectHead> head = load_head(key, kind);
    if (!head.ok()) {
        if (head.error().code() == ErrorCode::not_found) return std::optional<StoreOutcome>();
        return head.error();
    }
    if (head->content_digest == digest) return std::optional(StoreOutcome::kAlreadyStored);
    return Error(ErrorCode::content_conflict, formatted("repository \"{}\" holds other content as \"{}\"", url(), key))
        .detail(formatted("The stored content has digest {}, this server's has {}.", to_string(head->content_digest), to_string(digest)))
        .hint("Another server writes to the same repository under the same \"steward.cluster\", or this one was restored without a new "
              "timeline. Give each server a cluster name of its own; nothing was overwritten.")
        .object(key);
}

Result<Bytes> Repository::load(const std::string& key, ObjectKind kind) const {
    TRY_ASSIGN(const Bytes object, read_object(*storage_, key, kMaxObjectSize));
    return open_object(object, {key, kind, identity_.system_identifier}).context([&] { return formatted("while reading from repository \"{}\"", url()); });
}

Result<ObjectHead> Repository::load_head(const std::string& key, ObjectKind kind) const {
    // One read gets the whole head of a 16 MB segment (128 + 64 * 20 bytes); larger objects need a second one.
    constexpr uint64_t kLikelyHead = 4096;
    TRY_ASSIGN(Bytes beginning, storage_->read(key, 0, kLikelyHead));
    TRY_ASSIGN(const size_t head_size, object_head_size(beginning, key));
    if (head_size > beginning.size() && beginning.size() == kLikelyHead) {
        TRY_ASSIGN(beginning, storage_->read(key, 0, head_size));
    }
    TRY_ASSIGN(ObjectHead head, parse_object_head(beginning, {key, kind, identity_.system_identifier}));
    TRY_ASSIGN(const std::optional<ObjectInfo> stored, storage_->stat(key));
    if (!stored) return Error(ErrorCode::not_found, formatted("object \"{}\" does not exist", key)).object(key);
    if (stored->size != head.object_size())
        return Error(ErrorCode::corrupt_object, formatted("object \"{}\" is corrupt", key))
            .detail(formatted("It has {} bytes instead of {}.", stored->size, head.object_size()))
            .object(key);
    return head;
}

Result<std::vector<std::string>> list_clusters(Storage& storage) {
    std::vector<std::string> clusters;
    TRY(for_each_object(storage, Layout::identities_prefix(), [&](const ObjectInfo& object) -> Result<void> {
        std::optional<std::string> cluster = Layout::cluster_of_identity(object.key);
        if (cluster && (clusters.empty() || clusters.back() != *cluster)) clusters.push_back(std::move(*cluster));
        return {};
    }));
    return clusters;
}

}  // namespace steward
