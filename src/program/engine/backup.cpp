// The backup engine: copies one base backup while the worker holds the backup session.

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/backup/base_backup.h"
#include "core/base/format.h"
#include "core/base/processor_share.h"
#include "core/repository/lease.h"
#include "core/settings/settings.h"
#include "core/storage/retry_storage.h"
#include "program/claim_repositories.h"
#include "program/engine/catalog_entry.h"
#include "program/engine/engines.h"
#include "program/engine/progress_reporter.h"
#include "program/niceness.h"
#include "program/random_number.h"

namespace steward {

namespace {

TimePoint time_of(int64_t microseconds) { return TimePoint(std::chrono::microseconds(microseconds)); }

BackupProgressMessage progress_message(const BaseBackup& backup) {
    BackupProgress now = backup.progress();
    return {std::string(to_string(now.phase)), now.bytes_total, now.bytes_done, now.files_total, now.repository_bytes, std::move(now.waiting_for)};
}

/// How long a backup waits for an expiry.
constexpr std::chrono::minutes kLeasePatience{10};

/// Take a lease in every repository, so that nothing is removed that this backup goes on from. Waits for an expiry that runs.
Result<std::vector<Lease>> take_leases(const std::vector<Repository>& repositories, const std::string& label, const Clock& clock, RetryTimer& timer,
                                       const CancelToken& cancel) {
    std::vector<Lease> leases;
    for (const Repository& repository : repositories) {
        TRY_ASSIGN(Lease lease, Lease::acquire(repository, {.mode = LeaseMode::kShared,
                                                            .name = formatted("backup-{}", label),
                                                            .purpose = formatted("backup \"{}\"", label),
                                                            .clock = clock,
                                                            .timer = timer,
                                                            .cancel = cancel,
                                                            .patience = kLeasePatience})
                                    .context([&] { return formatted("while taking a lease in repository \"{}\"", repository.url()); }));
        leases.push_back(std::move(lease));
    }
    return leases;
}

Result<void> check_leases(const std::vector<Lease>& leases) {
    for (const Lease& lease : leases) TRY(lease.check());
    return {};
}

/// One that cannot be given up goes stale in time.
void release_leases(std::vector<Lease>& leases, Log& log) {
    for (Lease& lease : leases)
        if (const Result<void> released = lease.release(); !released.ok()) log.warning("lease_not_released", released.error());
}

BaseBackupOptions make_options(const ConfigureMessage& configuration, const Settings& settings, const BackupStartMessage& start, Pace pace, const Clock& clock) {
    return {.data_directory = configuration.facts.data_directory,
            .label = start.label,
            .start_lsn = Lsn{start.start_lsn},
            .started = time_of(start.started_us),
            .from_standby = start.from_standby,
            .server_version = configuration.facts.server_version,
            .workers = settings.backup_workers,
            .compression = settings.compression,
            .pace = pace,
            .pack_set = unique_name(clock.now(), random_number()),
            .reuse = start.reuse,
            .full_read = start.full_read,
            .wal_summaries = start.wal_summaries,
            .full_read_interval = settings.full_read_interval,
            .rate_limit = settings.backup_rate_limit};
}

Result<BackupSummary> run_backup(EngineLink& link, BaseBackup& backup) {
    const ProgressReporter reporter(link, [&backup] { return progress_message(backup); });
    TRY(backup.copy(link.cancel()));
    link.send(BackupCopiedMessage{});
    TRY_ASSIGN(const BackupFinishMessage finish, link.expect<BackupFinishMessage>());
    return backup.commit({Lsn{finish.stop_lsn}, finish.backup_label, finish.tablespace_map, time_of(finish.stopped_us)}, link.cancel());
}

}  // namespace

Result<void> run_backup_engine(EngineLink& link) {
    TRY_ASSIGN(const ConfigureMessage configuration, link.expect<ConfigureMessage>());
    TRY_ASSIGN(const BackupStartMessage start, link.expect<BackupStartMessage>());
    TRY_ASSIGN(const Settings settings, parse_settings(configuration.settings));
    // Before there are threads that copy: they inherit it, and Linux gives each of its own otherwise.
    be_nicer(settings.backup_nice);
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY_ASSIGN(const std::vector<Repository> repositories,
               claim_repositories_patiently(settings, configuration.facts, clock, timer, link.cancel()));

    TRY(check_label(start.label));
    TRY_ASSIGN(std::vector<Lease> leases, take_leases(repositories, start.label, clock, timer, link.cancel()));
    SystemProcessorMeter meter;
    ProcessorShare share(settings.backup_processor_share, meter);
    const Pace pace = settings.backup_processor_share < 1 ? Pace::considerate(share) : Pace::full();
    BaseBackupOptions options = make_options(configuration, settings, start, pace, clock);
    options.check_lease = [&leases] { return check_leases(leases); };
    BaseBackup backup(std::move(options), repositories, timer, link);
    Result<BackupSummary> summary = run_backup(link, backup);
    if (!summary.ok()) {
        backup.discard();
        return std::move(summary).error();
    }
    // The worker ends this process as soon as it knows that all is done.
    release_leases(leases, link);
    BackupDoneMessage done;
    for (const Repository& repository : repositories) done.entries.push_back(catalog_entry(*summary, repository.url(), false));
    link.send(done);
    return {};
}

}  // namespace steward
