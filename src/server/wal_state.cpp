#include "server/wal_state.h"

#include <algorithm>

#include "server/boundary.h"

namespace steward {

namespace {

/// Wake the archiver if it sleeps after having been told "not yet", and every backend that waits. Both calls only set latches.
void wake_waiters(bool archiver) {
    if (archiver) PgArchWakeup();
    ConditionVariableBroadcast(&shared_state()->wal.changed);
}

}  // namespace

bool is_known_as_stored(std::string_view name) {
    const SharedLock lock(shared_state(), LW_SHARED);
    const SharedWal& wal = shared_state()->wal;
    const auto end = std::min<uint64>(wal.stored_count, kStoredRing);
    return std::any_of(wal.stored, wal.stored + end, [&](const WalFileName& stored) { return stored.view() == name; });
}

void note_stored(const std::vector<std::string>& names) {
    bool archiver = false;
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        SharedWal& wal = shared_state()->wal;
        for (const std::string& name : names) wal.stored[wal.stored_count++ % kStoredRing].assign(name);
        archiver = std::exchange(wal.archiver_rebuffed, false);
        archiver = archiver || std::ranges::find(names, wal.wanted.view()) != names.end();
    }
    wake_waiters(archiver);
}

void note_failure(std::string_view name, const Error& error) {
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        SharedWal& wal = shared_state()->wal;
        wal.failed.assign(name);
        wal.failure.assign(error);
        wal.failure_number++;
    }
    wake_waiters(true);
}

void note_wal_status(const WalStatusMessage& status) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedWal& wal = shared_state()->wal;
    wal.backlog_files = status.backlog_files;
    wal.backlog_bytes = status.backlog_bytes;
    wal.bytes_per_second = status.bytes_per_second;
    wal.status_at = GetCurrentTimestamp();
    wal.repository_count = static_cast<int>(std::min<size_t>(status.repositories.size(), kMaxRepositories));
    for (int i = 0; i < wal.repository_count; ++i) {
        const WalRepositoryStatus& from = status.repositories[static_cast<size_t>(i)];
        SharedWalRepository& to = wal.repositories[i];
        to.url.assign(from.url);
        to.last_segment.assign(from.last_segment);
        to.last_lsn = from.last_lsn;
        to.last_stored = timestamp_of_unix_us(from.last_stored_us);
        to.stored_files = from.stored_files;
        to.stored_bytes = from.stored_bytes;
        to.repository_bytes = from.repository_bytes;
        to.failures = from.failures;
        to.last_error.assign(from.last_error);
        to.last_error_at = timestamp_of_unix_us(from.last_error_us);
        to.tail_lsn = from.tail_lsn;
        to.tail_stored = timestamp_of_unix_us(from.tail_stored_us);
    }
}

void note_catalog(const CatalogMessage& message) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedCatalog& catalog = shared_state()->catalog;
    catalog.read_at = GetCurrentTimestamp();
    catalog.error.assign(message.error);
    catalog.count = static_cast<int>(std::min<size_t>(message.backups.size(), kMaxCatalogEntries));
    for (int i = 0; i < catalog.count; ++i) catalog.entries[i].assign(message.backups[static_cast<size_t>(i)]);
}

uint64 ask_for(std::string_view name) {
    Latch* worker = nullptr;
    uint64 failures = 0;
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        SharedWal& wal = shared_state()->wal;
        wal.wanted.assign(name);
        wal.want_number++;
        failures = wal.failure_number;
        worker = shared_state()->wal_worker.latch;
        if (worker != nullptr) SetLatch(worker);  // under the lock: the worker clears its slot before its latch is reused
    }
    return failures;
}

std::optional<Error> failure_since(std::string_view name, uint64 since) {
    const SharedLock lock(shared_state(), LW_SHARED);
    const SharedWal& wal = shared_state()->wal;
    if (wal.failure_number <= since || wal.failed.view() != name) return std::nullopt;
    return wal.failure.to_error();
}

}  // namespace steward
