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

bool is_in_ring(const WalFileName (&ring)[kStoredRing], uint64 count, std::string_view name) {
    return std::any_of(ring, ring + std::min<uint64>(count, kStoredRing), [&](const WalFileName& known) { return known.view() == name; });
}

/// Put names into a ring of files that the archiver need not wait for any more, nor a new engine be told that it does.
void note_settled(WalFileName (&ring)[kStoredRing], uint64& count, const std::vector<std::string>& names) {
    bool archiver = false;
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        SharedWal& wal = shared_state()->wal;
        for (const std::string& name : names) ring[count++ % kStoredRing].assign(name);
        const bool was_wanted = std::ranges::find(names, wal.wanted.view()) != names.end();
        archiver = std::exchange(wal.archiver_rebuffed, false) || was_wanted;
        if (was_wanted) wal.wanted.assign("");
    }
    wake_waiters(archiver);
}

void assign(SharedInterval& to, const WindowInterval& from) {
    to.timeline = from.timeline;
    to.begin_lsn = from.begin_lsn;
    to.end_lsn = from.end_lsn;
    to.begin = timestamp_of_unix_us(from.begin_us);
    to.known_until = timestamp_of_unix_us(from.known_until_us);
    to.backup.assign(from.backup);
}

void assign(SharedGap& to, const WindowGap& from) {
    to.timeline = from.timeline;
    to.begin_lsn = from.begin_lsn;
    to.end_lsn = from.end_lsn;
    to.reason.assign(from.reason);
    to.recorded = timestamp_of_unix_us(from.recorded_us);
    to.note.assign(from.note);
    to.before_lsn = from.before_lsn;
    to.before = timestamp_of_unix_us(from.before_us);
    to.after_lsn = from.after_lsn;
    to.after = timestamp_of_unix_us(from.after_us);
    to.after_backup.assign(from.after_backup);
}

void assign(SharedRestorePoint& to, const WindowRestorePoint& from) {
    to.name.assign(from.name);
    to.note.assign(from.note);
    to.timeline = from.timeline;
    to.lsn = from.lsn;
    to.time = timestamp_of_unix_us(from.time_us);
    to.reachable = from.reachable;
}

/// An engine that was started or configured anew has not stored anything yet, or only an older segment once more: the last segment is still
/// what it was. In the slot of another repository nothing is known.
void note_last_stored(SharedWalRepository& to, const WalRepositoryStatus& from) {
    const bool is_other = to.url.view() != from.url;
    if (is_other || from.last_stored_us != 0) to.last_stored = timestamp_of_unix_us(from.last_stored_us);
    if (!is_other && from.last_segment <= to.last_segment.view()) return;
    to.last_segment.assign(from.last_segment);
    to.last_lsn = from.last_lsn;
}

template <typename Row, typename From>
void assign_rows(SharedRows<Row>& to, const std::vector<From>& from, uint64 total) {
    to.total = total;
    to.count = static_cast<int>(std::min(from.size(), kMaxWindowRows));
    for (int i = 0; i < to.count; ++i) assign(to.rows[i], from[static_cast<size_t>(i)]);
}

}  // namespace

bool is_known_as_stored(std::string_view name) {
    const SharedLock lock(shared_state(), LW_SHARED);
    const SharedWal& wal = shared_state()->wal;
    return is_in_ring(wal.stored, wal.stored_count, name);
}

bool is_known_as_given_up(std::string_view name) {
    const SharedLock lock(shared_state(), LW_SHARED);
    const SharedWal& wal = shared_state()->wal;
    return is_in_ring(wal.given_up, wal.given_up_count, name);
}

void note_stored(const std::vector<std::string>& names) {
    SharedWal& wal = shared_state()->wal;
    note_settled(wal.stored, wal.stored_count, names);
}

void note_given_up(const std::vector<std::string>& names) {
    SharedWal& wal = shared_state()->wal;
    note_settled(wal.given_up, wal.given_up_count, names);
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
        note_last_stored(to, from);
        to.url.assign(from.url);
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

void note_recovery_window(const RecoveryWindowMessage& message) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedWindow& window = shared_state()->window;
    window.owed_timeline = message.owed_timeline;
    window.owed_lsn = message.owed_lsn;
    window.first_backup_owed = message.first_backup_owed;
    window.read_at = GetCurrentTimestamp();
    window.error.assign(message.error);
    assign_rows(window.intervals, message.intervals, message.interval_count);
    assign_rows(window.gaps, message.gaps, message.gap_count);
    assign_rows(window.restore_points, message.restore_points, message.restore_point_count);
    // The scheduler takes the backup.
    if (Latch* scheduler = shared_state()->schedule.worker.latch; scheduler != nullptr && (message.owed_lsn != 0 || message.first_backup_owed)) SetLatch(scheduler);
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
