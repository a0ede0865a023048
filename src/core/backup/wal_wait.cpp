#include "core/backup/wal_wait.h"

#include <algorithm>
#include <optional>

#include "core/base/file.h"
#include "core/base/format.h"
#include "core/postgres/timeline.h"
#include "core/repository/gap_ledger.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

constexpr std::chrono::milliseconds kFirstPause = 50ms;
constexpr std::chrono::milliseconds kLongestPause = 1000ms;
constexpr uint64_t kLargestHistory = 16 << 20;

Result<TimelineHistory> read_history(const std::filesystem::path& data_directory, TimelineId timeline) {
    TRY_ASSIGN(const Bytes text, read_file(data_directory / "pg_wal" / timeline_history_name(timeline), kLargestHistory));
    return parse_timeline_history(timeline, as_text(text));
}

Result<void> wait_for_one(const std::string& name, const Repository& repository, RetryTimer& timer, const WalWaitCallbacks& callbacks,
                          const CancelToken& cancel) {
    const std::string key = repository.layout().wal(name);
    const auto begin = timer.now();
    for (std::chrono::milliseconds pause = kFirstPause;; pause = std::min(pause * 2, kLongestPause)) {
        TRY(check_cancel(cancel));
        TRY_ASSIGN(const std::optional<ObjectInfo> stored, repository.storage().stat(key));
        if (stored) return {};
        TRY(callbacks.still_waiting(name, std::chrono::duration_cast<std::chrono::milliseconds>(timer.now() - begin)));
        timer.wait(pause, cancel);
    }
}

}  // namespace

Result<void> check_not_given_up(std::span<const Repository> repositories, const std::string& name) {
    for (const Repository& repository : repositories) {
        const uint32_t size = repository.identity().wal_segment_size;
        const Result<WalSegmentName> segment = parse_wal_segment_name(name, size);
        if (!segment.ok()) continue;
        const Lsn begin = start_lsn(segment->segment_number, size);
        TRY_ASSIGN(const std::vector<RecordedGap> gaps, GapLedger().read(repository));
        const bool given_up = std::ranges::any_of(gaps, [&](const RecordedGap& gap) {
            return gap.reason == GapReason::kDropped && gap.timeline == segment->timeline && gap.begin <= begin && begin < gap.end;
        });
        if (!given_up) continue;
        TRY_ASSIGN(const std::optional<ObjectInfo> stored, repository.storage().stat(repository.layout().wal(name)));
        if (!stored)
            return Error(ErrorCode::missing_wal, formatted("WAL segment \"{}\", which the backup needs, was given up", name))
                .detail("More WAL waited to be archived than \"steward.archive_queue_limit\" allows.")
                .hint("Take another backup once archiving works again: see steward.wal_archive.");
    }
    return {};
}

Result<void> check_not_promoted(const ControlFile& control, bool from_standby) {
    if (!from_standby || control.state == ClusterState::kInArchiveRecovery) return {};
    return Error(ErrorCode::wrong_state, "the standby was promoted during the backup")
        .detail("WAL that the backup needs was not archived before the new timeline began.")
        .hint("Take another backup.");
}

Result<BackupWal> name_backup_wal(const std::filesystem::path& data_directory, const ControlFile& control, bool from_standby,
                                  TimelineId start_timeline, Lsn start, Lsn stop) {
    TRY(check_not_promoted(control, from_standby));
    BackupWal wal;
    // A standby follows its upstream to a new timeline without being promoted itself.
    wal.stop_timeline = from_standby ? std::max(control.min_recovery_timeline, start_timeline) : start_timeline;
    TimelineHistory history(wal.stop_timeline);
    if (wal.stop_timeline != start_timeline) {
        TRY_ASSIGN(history, read_history(data_directory, wal.stop_timeline));
        wal.names.push_back(timeline_history_name(wal.stop_timeline));
    }
    TRY_ASSIGN(const std::vector<WalSegmentName> segments, history.segments_between(start_timeline, start, stop, control.wal_segment_size));
    for (const WalSegmentName& segment : segments) wal.names.push_back(to_string(segment, control.wal_segment_size));
    return wal;
}

Result<void> wait_for_wal(std::span<const std::string> names, std::span<const Repository> repositories, RetryTimer& timer,
                          const WalWaitCallbacks& callbacks, const CancelToken& cancel) {
    for (const std::string& name : names) {
        callbacks.waiting_for(name);
        for (const Repository& repository : repositories)
            TRY(wait_for_one(name, repository, timer, callbacks, cancel).context([&] {
                return formatted("while waiting for WAL file \"{}\" in repository \"{}\"", name, repository.url());
            }));
    }
    return {};
}

}  // namespace steward
