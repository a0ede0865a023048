// What is known of WAL archiving, in shared memory: written by the WAL worker, asked by the archiver and by SQL.
#pragma once

#include <optional>
#include <string_view>

#include "server/shared_state.h"

namespace steward {

/// Whether the file is known to be in every repository. "No" may also mean that it was long ago.
bool is_known_as_stored(std::string_view name);

/// Remember files as stored and wake whoever waits.
void note_stored(const std::vector<std::string>& names);

/// Whether the file was given up lately (steward.archive_queue_limit): it is not stored, and the archiver need not wait for it.
bool is_known_as_given_up(std::string_view name);

/// Remember files as given up and wake whoever waits.
void note_given_up(const std::vector<std::string>& names);

/// Remember why a file could not be stored and wake whoever waits.
void note_failure(std::string_view name, const Error& error);

/// Take over what the engine reports about the repositories.
void note_wal_status(const WalStatusMessage& status);
void note_catalog(const CatalogMessage& catalog);
void note_recovery_window(const RecoveryWindowMessage& window);

/// Ask the worker to have `name` stored next. Returns the number of failures noted so far, for failure_since.
uint64 ask_for(std::string_view name);

/// Why storing `name` failed after the failure with number `since`, if it did.
std::optional<Error> failure_since(std::string_view name, uint64 since);

}  // namespace steward
