// The backup engine: copies one base backup while the worker holds the backup session.

#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "core/backup/base_backup.h"
#include "core/settings/settings.h"
#include "core/storage/retry_storage.h"
#include "program/catalog_entry.h"
#include "program/claim_repositories.h"
#include "program/engines.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr auto kProgressInterval = 200ms;

TimePoint time_of(int64_t microseconds) { return TimePoint(std::chrono::microseconds(microseconds)); }

uint64_t random_number() {
    std::random_device source;
    return uint64_t{source()} << 32 | source();
}

/// Tells the worker how far the backup is, from a thread of its own, when there is something new to tell.
class ProgressReporter {
public:
    ProgressReporter(EngineLink& link, const BaseBackup& backup)
        : link_(link), backup_(backup), thread_([this](std::stop_token stop) { report_until(stop); }) {}

private:
    void report_until(std::stop_token stop) {
        std::mutex mutex;
        std::condition_variable_any never;
        std::unique_lock lock(mutex);
        std::string last;
        while (!stop.stop_requested()) {
            BackupProgress now = backup_.progress();
            const BackupProgressMessage message{std::string(to_string(now.phase)), now.bytes_total,     now.bytes_done, now.files_total,
                                                now.repository_bytes,              std::move(now.waiting_for)};
            if (std::string text = render_message(message); text != last) {
                link_.send(message);
                last = std::move(text);
            }
            never.wait_for(lock, stop, kProgressInterval, [] { return false; });
        }
    }

    EngineLink& link_;
    const BaseBackup& backup_;
    std::jthread thread_;
};

BaseBackupOptions make_options(const ConfigureMessage& configuration, const Settings& settings, const BackupStartMessage& start, const Clock& clock) {
    return {.data_directory = configuration.facts.data_directory,
            .label = start.label,
            .start_lsn = Lsn{start.start_lsn},
            .started = time_of(start.started_us),
            .from_standby = start.from_standby,
            .server_version = configuration.facts.server_version,
            .workers = settings.backup_workers,
            .compression = settings.compression,
            .pack_set = make_pack_set(clock.now(), random_number()),
            .reuse = start.reuse,
            .full_read = start.full_read,
            .wal_summaries = start.wal_summaries,
            .full_read_interval = settings.full_read_interval,
            .rate_limit = settings.backup_rate_limit};
}

Result<BackupSummary> run_backup(EngineLink& link, BaseBackup& backup) {
    const ProgressReporter reporter(link, backup);
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
    static_cast<void>(::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + settings.backup_nice));
    const SystemClock clock;
    SteadyRetryTimer timer;
    TRY_ASSIGN(const std::vector<Repository> repositories,
               claim_repositories_patiently(settings, configuration.facts, clock, timer, link.cancel()));

    BaseBackup backup(make_options(configuration, settings, start, clock), repositories, timer, link);
    Result<BackupSummary> summary = run_backup(link, backup);
    if (!summary.ok()) {
        backup.discard();
        return std::move(summary).error();
    }
    BackupDoneMessage done;
    for (const Repository& repository : repositories) done.entries.push_back(catalog_entry(*summary, repository.url()));
    link.send(done);
    return {};
}

}  // namespace steward
