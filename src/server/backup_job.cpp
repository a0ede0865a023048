#include "server/backup_job.h"

#include <algorithm>

#include "core/base/format.h"

namespace steward {

namespace {

SharedBackup& slot() { return shared_state()->backup; }

/// Put a new backup first, unless the WAL engine's own reading was quicker.
void add_to_catalog(const CatalogEntry& entry) {
    SharedCatalog& catalog = shared_state()->catalog;
    SharedBackupEntry* end = catalog.entries + catalog.count;
    const auto same = [&](const SharedBackupEntry& known) { return known.repository.view() == entry.repository && known.label.view() == entry.label; };
    if (std::any_of(catalog.entries, end, same)) return;
    if (catalog.count < kMaxCatalogEntries) {
        catalog.count++;
        end++;
    }
    std::move_backward(catalog.entries, end - 1, end);
    catalog.entries[0].assign(entry);
}

void finish(JobState state) {
    slot().state = state;
    slot().finished = GetCurrentTimestamp();
    slot().phase.assign("");
    slot().waiting_for.assign("");
}

}  // namespace

Result<uint64> reserve_backup(const BackupRequest& request) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedBackup& backup = slot();
    if (backup.state == JobState::kStarting || backup.state == JobState::kRunning)
        return Error(ErrorCode::busy, "a backup is already running")
            .detail(backup.worker.pid != 0 ? formatted("Backup \"{}\" runs in the worker with PID {}.", backup.label.view(), backup.worker.pid)
                                           : formatted("Backup \"{}\" is starting.", backup.label.view()))
            .hint("Wait for it (steward.backup_progress shows how far it is), or cancel it with pg_cancel_backend on that PID.");
    backup.state = JobState::kStarting;
    backup.number++;
    backup.label.assign(request.label);
    backup.fast_checkpoint = request.fast_checkpoint;
    backup.full_read = request.full_read;
    backup.reuse = request.reuse;
    backup.cancel_requested = false;
    backup.requested_by = GetUserId();
    backup.started = GetCurrentTimestamp();
    backup.finished = 0;
    backup.phase.assign("starting");
    backup.waiting_for.assign("");
    backup.bytes_total = backup.bytes_done = backup.files_total = backup.repository_bytes = 0;
    return backup.number;
}

void cancel_backup(uint64 number) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedBackup& backup = slot();
    if (backup.number != number || (backup.state != JobState::kStarting && backup.state != JobState::kRunning)) return;
    backup.cancel_requested = true;
    if (backup.worker.latch != nullptr) SetLatch(backup.worker.latch);
}

void note_backup_phase(std::string_view phase) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    slot().state = JobState::kRunning;
    slot().phase.assign(phase);
}

void note_backup_progress(const BackupProgressMessage& progress) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedBackup& backup = slot();
    backup.phase.assign(progress.phase);
    backup.waiting_for.assign(progress.waiting_for);
    backup.bytes_total = progress.bytes_total;
    backup.bytes_done = progress.bytes_done;
    backup.files_total = progress.files_total;
    backup.repository_bytes = progress.repository_bytes;
}

void finish_backup(const std::vector<CatalogEntry>& entries) {
    std::string urls;
    for (const CatalogEntry& entry : entries) urls += (urls.empty() ? "" : ", ") + entry.repository;
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        slot().result.assign(entries.front());
        slot().result.repository.assign(urls);
        for (const CatalogEntry& entry : entries) add_to_catalog(entry);
        // What vanished or shrank while it was copied is done as well.
        slot().bytes_done = slot().bytes_total;
        finish(JobState::kSucceeded);
    }
    ConditionVariableBroadcast(&slot().changed);
}

void fail_backup(uint64 number, const Error& error) {
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        if (slot().number != number || slot().state == JobState::kSucceeded || slot().state == JobState::kFailed) return;
        slot().error.assign(error);
        finish(JobState::kFailed);
    }
    ConditionVariableBroadcast(&slot().changed);
}

JobState backup_state(uint64 number) {
    const SharedLock lock(shared_state(), LW_SHARED);
    return slot().number == number ? slot().state : JobState::kIdle;
}

}  // namespace steward
