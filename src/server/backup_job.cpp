#include "server/backup_job.h"

#include <algorithm>

#include "core/backup/default_label.h"
#include "core/base/bytes.h"
#include "core/base/format.h"
#include "server/settings.h"

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

}  // namespace

Result<void> check_can_back_up() {
    TRY(require_shared_state());
    if (!repository_is_set())
        return Error(ErrorCode::wrong_state, "no repository is set").hint("Set \"steward.repository\" in postgresql.conf and reload.");
    if (!XLogArchivingActive() || std::string_view(XLogArchiveLibrary) != "pg_steward")
        return Error(ErrorCode::wrong_state, "WAL is not archived by pg_steward")
            .detail("A backup needs the WAL written while it runs.")
            .hint("Set archive_mode = on and archive_library = 'pg_steward' in postgresql.conf and restart the server.");
    return {};
}

std::string label_for_backup() {
    const SharedLock lock(shared_state(), LW_SHARED);
    return default_label(SystemClock().now(), slot().label.view());
}

Result<uint64> reserve_backup(const BackupRequest& request) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedBackup& backup = slot();
    if (backup.run.is_active())
        return Error(ErrorCode::busy, "a backup is already running")
            .detail(backup.run.worker.pid != 0
                        ? formatted("Backup \"{}\" runs in the worker with PID {}.", backup.label.view(), backup.run.worker.pid)
                        : formatted("Backup \"{}\" is starting.", backup.label.view()))
            .hint("Wait for it (steward.backup_progress shows how far it is), or cancel it with pg_cancel_backend on that PID.");
    backup.label.assign(request.label);
    backup.fast_checkpoint = request.fast_checkpoint;
    backup.full_read = request.full_read;
    backup.reuse = request.reuse;
    backup.waiting_for.assign("");
    backup.bytes_total = backup.bytes_done = backup.files_total = backup.repository_bytes = 0;
    return reserve_run(backup.run, "backup", request.trigger);
}

void note_backup_progress(const BackupProgressMessage& progress) {
    const SharedLock lock(shared_state(), LW_EXCLUSIVE);
    SharedBackup& backup = slot();
    backup.run.phase.assign(progress.phase);
    backup.waiting_for.assign(progress.waiting_for);
    backup.bytes_total = progress.bytes_total;
    backup.bytes_done = progress.bytes_done;
    backup.files_total = progress.files_total;
    backup.repository_bytes = progress.repository_bytes;
}

Result<void> finish_backup(uint64 number, const std::vector<CatalogEntry>& entries) {
    std::string urls;
    for (const CatalogEntry& entry : entries) urls += (urls.empty() ? "" : ", ") + entry.repository;
    const CatalogEntry& first = entries.front();
    {
        const SharedLock lock(shared_state(), LW_EXCLUSIVE);
        slot().result.assign(first);
        slot().result.repository.assign(urls);
        for (const CatalogEntry& entry : entries) add_to_catalog(entry);
        // What vanished or shrank while it was copied is done as well.
        slot().bytes_done = slot().bytes_total;
        slot().waiting_for.assign("");
    }
    return succeed_run(number, formatted("backup \"{}\", {} of data", first.label, pretty_size(first.data_bytes)), first.repository_bytes);
}

}  // namespace steward
