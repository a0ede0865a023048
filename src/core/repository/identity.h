// Who owns a cluster's name in a store: objects that are numbered, of which the highest is in force.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/result.h"
#include "core/repository/repository.h"
#include "core/storage/storage.h"

namespace steward {

/// Keys of the identities of `cluster`, in the order of their numbers; empty when the name is unclaimed. Errors: as Storage::list.
Result<std::vector<std::string>> list_identities(Storage& storage, const std::string& cluster);

/// Read one. Errors: not_found, corrupt_object, as Storage::read.
Result<Identity> load_identity(Storage& storage, const std::string& key);

/// Write identity number `number`, unless there is one: who reads it back knows whose it is. Durable on return. Errors: as Storage::put.
Result<void> put_identity(Storage& storage, const std::string& cluster, unsigned number, const Identity& identity, const Clock& clock);

/// That `predecessor`, which has the name as `identity`, was not used after it was succeeded: the store has no WAL of it that begins after its
/// end. It would be another server's, with the same data and alive, to whom the name belongs. O(objects of its WAL). Errors:
/// foreign_repository; as Storage::list.
Result<void> check_at_rest(Storage& storage, const std::string& cluster, const Identity& identity, const Predecessor& predecessor);

}  // namespace steward
