// One database cluster's part of a store: its identity, its objects, and the rule that none is ever overwritten.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/repository/layout.h"
#include "core/repository/object.h"
#include "core/repository/succession.h"
#include "core/storage/storage.h"

namespace steward {

/// Which database cluster the objects are of.
struct Identity {
    uint64_t system_identifier = 0;
    int major = 0;                   ///< PostgreSQL's major version, for example 17
    uint32_t wal_segment_size = 0;   ///< bytes
    uint64_t predecessor = 0;        ///< system identifier of the cluster that had the name before; 0: none
};

enum class StoreOutcome {
    kStored,         ///< the object was not there and is now
    kAlreadyStored,  ///< an object of the same content was there
};

/// A repository: a store seen as one cluster's. Thread-safe as far as the store is. Owns the store.
class Repository {
public:
    /// Open the repository of `cluster`: what belongs to the identity in force or, to read what is left of a cluster that had the name
    /// before, to `system_identifier`. Errors: not_found with a hint listing what is there.
    static Result<Repository> open(std::unique_ptr<Storage> storage, std::string cluster, std::optional<uint64_t> system_identifier = {});

    /// Open the repository of `cluster`, claiming the name for `mine` when nobody has, or when who has is one of `predecessors`. Exactly one of
    /// several servers that claim at once wins. Errors: foreign_repository when the name belongs to another system identifier, or to a
    /// predecessor that was used after it was succeeded.
    static Result<Repository> open_or_claim(std::unique_ptr<Storage> storage, std::string cluster, const Identity& mine, const Clock& clock,
                                            std::span<const Predecessor> predecessors = {});

    const Identity& identity() const { return identity_; }
    const std::string& cluster() const { return cluster_; }
    const Layout& layout() const { return layout_; }
    Storage& storage() const { return *storage_; }
    std::string url() const { return storage_->url(); }

    /// Store an object under a name that is its for ever. Durable on return. Errors: content_conflict, naming both digests,
    /// when other content is there; corrupt_object when what is there is damaged; as Storage::put.
    Result<StoreOutcome> store(const std::string& key, const BuiltObject& object, ObjectKind kind) const;

    /// Tell whether `key` holds exactly the content with `digest`; nothing when there is no such object.
    /// Reads header and index only. Errors: content_conflict, corrupt_object, as Storage::read.
    Result<std::optional<StoreOutcome>> look_up(const std::string& key, const Digest& digest, ObjectKind kind) const;

    /// Read and check a whole object. Errors: not_found, corrupt_object, foreign_repository, as Storage::read.
    Result<Bytes> load(const std::string& key, ObjectKind kind) const;

    /// Read and check header and index of an object, comparing the stored size. Errors: as load.
    Result<ObjectHead> load_head(const std::string& key, ObjectKind kind) const;

private:
    Repository(std::unique_ptr<Storage> storage, std::string cluster, const Identity& identity)
        : storage_(std::move(storage)), cluster_(std::move(cluster)), identity_(identity), layout_(cluster_, identity.system_identifier) {}

    std::unique_ptr<Storage> storage_;
    std::string cluster_;
    Identity identity_;
    Layout layout_;
};

/// Names of the clusters a store holds. Errors: as Storage::list.
Result<std::vector<std::string>> list_clusters(Storage& storage);

/// Clusters that had the name before the one that has it now, the latest first, each once. A damaged identity is left out: verification tells
/// of it. Errors: as Storage::list and read.
Result<std::vector<Identity>> list_former_systems(Storage& storage, const std::string& cluster);

}  // namespace steward
