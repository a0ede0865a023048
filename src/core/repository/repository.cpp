#include "core/repository/repository.h"

#include <fmt/ranges.h>

#include <nlohmann/json.hpp>

#include <charconv>
#include <functional>

#include "core/base/format.h"
#include "core/postgres/wal_name.h"

namespace steward {

namespace {

/// Far above any object this release writes (WAL segments end at 1 GB), far below what would exhaust memory by a forged size.
constexpr uint64_t kMaxObjectSize = uint64_t{2} << 30;
/// Beyond any major to come: a number that makes no sense is damage, not a version.
constexpr uint64_t kMaxMajor = 1000;

Bytes render_identity(const std::string& cluster, const Identity& identity, const Clock& clock) {
    const nlohmann::ordered_json json = {
        {"cluster", cluster},
        {"system_identifier", std::to_string(identity.system_identifier)},
        {"postgresql_major", identity.major},
        {"wal_segment_size", identity.wal_segment_size},
        {"created", format_time(clock.now())},
    };
    return to_bytes(json.dump(2) + "\n");
}

Result<Identity> parse_identity(ByteView content, const std::string& key) {
    const auto json = nlohmann::json::parse(as_text(content), nullptr, false);
    Identity identity;
    if (json.is_object() && json.contains("system_identifier") && json["system_identifier"].is_string() && json.contains("postgresql_major") &&
        json["postgresql_major"].is_number_unsigned() && json.contains("wal_segment_size") && json["wal_segment_size"].is_number_unsigned()) {
        const std::string& number = json["system_identifier"].get_ref<const std::string&>();
        const auto [end, problem] = std::from_chars(number.data(), number.data() + number.size(), identity.system_identifier);
        const auto major = json["postgresql_major"].get<uint64_t>(), segment_size = json["wal_segment_size"].get<uint64_t>();
        identity.major = static_cast<int>(major);
        identity.wal_segment_size = static_cast<uint32_t>(segment_size);
        // Whoever reads the identity divides by the segment size.
        if (problem == std::errc() && end == number.data() + number.size() && major <= kMaxMajor && is_valid_wal_segment_size(segment_size))
            return identity;
    }
    return Error(ErrorCode::corrupt_object, formatted("object \"{}\" does not describe a database cluster", key)).object(key);
}

/// The identity object in force, or nothing when the name is unclaimed.
Result<std::optional<std::string>> newest_identity_key(Storage& storage, const std::string& cluster) {
    std::optional<std::string> newest;
    TRY(for_each_object(storage, Layout::identity_prefix(cluster), [&](const ObjectInfo& object) -> Result<void> {
        newest = object.key;
        return {};
    }));
    return newest;
}

Result<Identity> load_identity(Storage& storage, const std::string& key) {
    TRY_ASSIGN(const Bytes object, read_object(storage, key, kMaxObjectSize));
    TRY_ASSIGN(const Bytes content, open_object(object, {key, ObjectKind::kIdentity, 0}));
    return parse_identity(content, key);
}

Error foreign(const Storage& storage, const std::string& cluster, const Identity& theirs, const Identity& mine) {
    return Error(ErrorCode::foreign_repository, formatted("repository \"{}\" holds another database cluster as \"{}\"", storage.url(), cluster))
        .detail(formatted("The repository's system identifier is {}, this server's is {}.", theirs.system_identifier, mine.system_identifier))
        .hint("Set \"steward.cluster\" to a name of its own for this server, or use another repository.")
        .object(storage.url());
}

}  // namespace

Result<Repository> Repository::open(std::unique_ptr<Storage> storage, std::string cluster) {
    TRY_ASSIGN(const std::optional<std::string> key, newest_identity_key(*storage, cluster));
    if (!key) {
        TRY_ASSIGN(const std::vector<std::string> clusters, list_clusters(*storage));
        Error error(ErrorCode::not_found, formatted("repository \"{}\" holds no cluster \"{}\"", storage->url(), cluster));
        return std::move(error)
            .object(storage->url())
            .hint(clusters.empty() ? std::string("The repository is empty: check the URL, and that the server has archived something yet.")
                                   : formatted("Choose one of these with --cluster: {}.", fmt::join(clusters, ", ")));
    }
    TRY_ASSIGN(const Identity identity, load_identity(*storage, *key));
    return Repository(std::move(storage), std::move(cluster), identity);
}

Result<Repository> Repository::open_or_claim(std::unique_ptr<Storage> storage, std::string cluster, const Identity& mine, const Clock& clock) {
    TRY_ASSIGN(std::optional<std::string> key, newest_identity_key(*storage, cluster));
    if (!key) {
        key = Layout::identity(cluster, 1);
        const BuiltObject object = build_object(ObjectKind::kIdentity, 0, render_identity(cluster, mine, clock), {Codec::kNone, 0});
        TRY(storage->put(*key, object.parts(), PutMode::kIfAbsent));
    }
    // Read back even after a put: without an atomic if-absent another server may have won.
    TRY_ASSIGN(const Identity theirs, load_identity(*storage, *key));
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
