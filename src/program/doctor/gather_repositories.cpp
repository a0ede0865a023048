#include "program/doctor/gather_repositories.h"

#include <algorithm>
#include <span>
#include <string>
#include <utility>

#include "core/repository/verification_record.h"
#include "core/restore/recovery_window.h"
#include "core/restore/repository_facts.h"
#include "core/schedule/next_run.h"
#include "core/schedule/time_zone.h"
#include "program/preseed/look_at_repositories.h"

namespace steward {

namespace {

/// Behind the newest backup nothing bridges a hole; before it, the newer backup does.
bool lies_behind(const WalHole& hole, const BackupSummary& newest) {
    return hole.timeline > newest.timeline || (hole.timeline == newest.timeline && hole.begin >= newest.start_lsn);
}

void judge_window(const RepositoryContent& content, uint32_t segment_size, RepositoryHealth& health) {
    const RecoveryWindow window = recovery_window(merge_contents(std::span(&content, 1), segment_size));
    for (const WalHole& hole : window.holes) {
        if (content.backups.empty() || hole.reason == GapReason::kPruned) continue;
        (lies_behind(hole, content.backups.back()) ? health.holes : health.older_holes).push_back(describe(hole, segment_size));
    }
    for (const ReachableInterval& interval : window.intervals) {
        if (interval.begin_time && (!health.recoverable_from || *interval.begin_time < *health.recoverable_from)) health.recoverable_from = interval.begin_time;
        if (interval.known_until && (!health.recoverable_until || *interval.known_until > *health.recoverable_until)) health.recoverable_until = interval.known_until;
    }
}

Result<void> look_into(const Repository& repository, RepositoryHealth& health) {
    TRY_ASSIGN(const RepositoryContent content, read_content(repository));
    health.backups = content.backups.size();
    if (!content.backups.empty()) {
        const BackupSummary& newest = content.backups.back();
        health.newest = BackupFacts{newest.label, newest.major, newest.stopped};
    }
    for (const Error& damage : content.damage()) health.damaged.push_back(damage.message());
    judge_window(content, repository.identity().wal_segment_size, health);
    TRY_ASSIGN(const RememberedVerification remembered, load_verification(repository));
    if (!remembered.keys.empty() && remembered.record.finished) {
        health.verified = remembered.record.time;
        health.verification_problems = remembered.record.problems;
    }
    TRY_ASSIGN(health.last_drill, load_last_drill(repository));
    return {};
}

}  // namespace

Result<std::vector<RepositoryHealth>> gather_repositories(const Settings& settings, const ReadingContext& context) {
    TRY_ASSIGN(const std::vector<SeenRepository> seen, look_at_repositories(settings, context));
    std::vector<RepositoryHealth> all;
    for (const SeenRepository& each : seen) {
        RepositoryHealth health;
        health.evidence = each.evidence;
        if (each.repository)
            if (Result<void> looked = look_into(*each.repository, health); !looked.ok()) {
                if (looked.error().code() == ErrorCode::cancelled) return std::move(looked).error();
                health.problem = std::move(looked).error();
            }
        all.push_back(std::move(health));
    }
    return all;
}

std::optional<TimePoint> find_missed_backup(const Settings& settings, const std::vector<RepositoryHealth>& repositories, const std::string& server_timezone,
                                            TimePoint now) {
    std::optional<TimePoint> newest;
    for (const RepositoryHealth& repository : repositories)
        if (repository.newest) newest = std::max(repository.newest->stopped, newest.value_or(repository.newest->stopped));
    if (!settings.backup_schedule || !newest) return std::nullopt;
    const Result<TimeZone> named = find_time_zone(settings.timezone.empty() ? server_timezone : settings.timezone);
    // One that the server knows and this machine does not: a few hours are of no weight here.
    const TimeZone zone = named.ok() ? *named : TimeZone::utc();
    const std::vector<TimePoint> due = next_runs(*settings.backup_schedule, zone, *newest, 2);
    if (due.size() < 2 || due.back() > now) return std::nullopt;
    return due.back();
}

}  // namespace steward
