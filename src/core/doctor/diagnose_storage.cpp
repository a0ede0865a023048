// What is wrong with what is stored: waiting WAL, disks, repositories.
#include <algorithm>
#include <chrono>
#include <string>
#include <utility>

#include "core/base/bytes.h"
#include "core/base/format.h"
#include "core/doctor/diagnose_parts.h"

namespace steward {

using namespace std::chrono_literals;

namespace {

using Found = std::vector<Diagnosis>;

/// A segment is stored within seconds: what waits so long waits for something.
constexpr auto kLongWait = 5min;
/// Without a schedule somebody has to think of it.
constexpr auto kOldBackup = std::chrono::days(7);
/// Disks lose bits in months, and a repository of a year is read in a night.
constexpr auto kOldVerification = std::chrono::days(35);
constexpr auto kOldDrill = std::chrono::days(35);
/// Of a disk: below the first, work is about to stop; below the second, there is time to act.
constexpr uint64_t kFullBytes = uint64_t{512} << 20;
constexpr double kFullShare = 0.02, kFillingShare = 0.1;

void diagnose_backups(const DoctorFacts& facts, const RepositoryHealth& repository, Found& found) {
    const std::string& url = repository.evidence.url;
    for (const std::string& damaged : repository.damaged)
        found.push_back({"object_damaged", Weight::kError, formatted("repository \"{}\" holds damaged data: {}", url, damaged),
                         formatted("Type \"pg_steward verify --recheck --repository {}\", and \"SELECT * FROM steward.backup()\" for a sound backup.", url)});
    if (!repository.newest) {
        found.push_back({"no_backup", Weight::kError, formatted("repository \"{}\" has no backup: nothing can be restored", url),
                         "Type \"SELECT * FROM steward.backup()\" in psql, and set steward.backup_schedule."});
        return;
    }
    if (facts.directory && facts.directory->has_cluster() && repository.newest->major != facts.directory->evidence.cluster->major)
        found.push_back({"backup_of_other_release", Weight::kError,
                         formatted("the newest backup in repository \"{}\" is of PostgreSQL {}", url, repository.newest->major),
                         "Type \"SELECT * FROM steward.backup()\" in psql."});
    const auto age = facts.now - repository.newest->stopped;
    if (!facts.has_backup_schedule && age > kOldBackup)
        found.push_back({"backup_old", Weight::kWarning, formatted("the newest backup in repository \"{}\" is {} old, and there is no schedule", url, describe_age(age)),
                         "Set steward.backup_schedule, for example to '@daily'."});
}

void diagnose_holes(const RepositoryHealth& repository, Found& found) {
    const std::string& url = repository.evidence.url;
    for (const std::string& hole : repository.holes)
        found.push_back({"wal_missing", Weight::kError, formatted("in repository \"{}\" {}: nothing behind it can be recovered", url, hole),
                         "Type \"SELECT * FROM steward.backup()\" in psql: recovery goes on from a new backup."});
    for (const std::string& hole : repository.older_holes)
        found.push_back({"wal_missing_before", Weight::kNote, formatted("in repository \"{}\" {}: a newer backup lies behind it", url, hole),
                         formatted("\"pg_steward info --repository {}\" shows which points can be reached.", url)});
}

void diagnose_proof(const DoctorFacts& facts, const RepositoryHealth& repository, Found& found) {
    const std::string& url = repository.evidence.url;
    const std::string verify = formatted("Type \"pg_steward verify --repository {}\", and set steward.verify_schedule.", url);
    if (!repository.verified)
        found.push_back({"never_verified", Weight::kWarning, formatted("repository \"{}\" has never been verified", url), verify});
    else if (repository.verification_problems > 0)
        found.push_back({"verification_failed", Weight::kError, formatted("the last verification of repository \"{}\" found {} problems", url, repository.verification_problems),
                         formatted("Type \"pg_steward verify --repository {}\" to see them.", url)});
    else if (const auto age = facts.now - *repository.verified; age > kOldVerification)
        found.push_back({"verified_long_ago", Weight::kWarning, formatted("repository \"{}\" was last verified {} ago", url, describe_age(age)), verify});

    const std::string drill = formatted("Type \"pg_steward drill --repository {} --drill-directory DIR\", and set steward.drill_schedule.", url);
    if (!repository.last_drill)
        found.push_back({"never_drilled", facts.has_drill_schedule ? Weight::kWarning : Weight::kNote,
                         formatted("no restore from repository \"{}\" has been rehearsed", url), drill});
    else if (!repository.last_drill->failure.empty())
        found.push_back({"drill_failed", Weight::kError,
                         formatted("the last restore drill of repository \"{}\", of backup \"{}\", failed: {}", url, repository.last_drill->backup, repository.last_drill->failure), drill});
    else if (const auto age = facts.now - repository.last_drill->time; age > kOldDrill)
        found.push_back({"drilled_long_ago", Weight::kWarning, formatted("the last restore drill of repository \"{}\" was {} ago", url, describe_age(age)), drill});
}

/// Whether the repository is the cluster's, and can be read.
bool is_usable(const DoctorFacts& facts, const RepositoryHealth& repository, Found& found) {
    const RepositoryEvidence& evidence = repository.evidence;
    if (evidence.state == RepositoryState::kUnreachable) {
        found.push_back({"repository_unreachable", Weight::kError, formatted("repository \"{}\" cannot be reached: {}", evidence.url, evidence.problem),
                         "Mount it or bring its store back, or correct steward.repository."});
        return false;
    }
    if (evidence.state == RepositoryState::kEmpty) {
        found.push_back({"repository_unused", Weight::kError, formatted("repository \"{}\" knows no cluster of this name: nothing has been archived", evidence.url),
                         "Start the server and type \"SELECT * FROM steward.backup()\" in psql, or correct steward.cluster."});
        return false;
    }
    const bool has_cluster = facts.directory && facts.directory->has_cluster();
    if (has_cluster && evidence.system_identifier &&
        std::ranges::find(facts.directory->evidence.cluster->predecessors, *evidence.system_identifier) != facts.directory->evidence.cluster->predecessors.end()) {
        found.push_back({"repository_to_take_over", Weight::kWarning,
                         formatted("repository \"{}\" has this name for cluster {}, which was upgraded to that in the data directory: nothing of that is archived yet",
                                   evidence.url, *evidence.system_identifier),
                         "Start the server: it goes on there under its own system identifier, and takes a backup."});
        return false;
    }
    if (has_cluster && evidence.system_identifier && *evidence.system_identifier != facts.directory->evidence.cluster->system_identifier) {
        found.push_back({"repository_foreign", Weight::kError,
                         formatted("repository \"{}\" holds another cluster under this name: its system identifier is {}, that of the data directory is {}", evidence.url,
                                   *evidence.system_identifier, facts.directory->evidence.cluster->system_identifier),
                         "Give this cluster a name of its own with steward.cluster, or correct steward.repository."});
        return false;
    }
    if (!repository.problem) return true;
    found.push_back({"repository_unreadable", Weight::kError, formatted("repository \"{}\" could not be read: {}", evidence.url, repository.problem->message()),
                     repository.problem->hint().empty() ? formatted("Type \"pg_steward verify --repository {}\".", evidence.url) : repository.problem->hint()});
    return false;
}

}  // namespace

std::string describe_age(std::chrono::microseconds age) {
    const auto counted = [](int64_t count, const char* unit) { return formatted("{} {}{}", count, unit, count == 1 ? "" : "s"); };
    if (age < 2min) return counted(std::max<int64_t>(0, age / 1s), "second");
    if (age < 2h) return counted(age / 1min, "minute");
    if (age < 48h) return counted(age / 1h, "hour");
    return counted(age / 24h, "day");
}

void diagnose_archiving(const DoctorFacts& facts, Found& found) {
    if (!facts.directory || !facts.directory->has_cluster()) return;
    const DataDirectoryFacts& directory = *facts.directory;
    if (directory.archive_problem) {
        found.push_back({"archive_status_unreadable", Weight::kError, directory.archive_problem->message(), "Type \"pg_steward permissions check\"."});
        return;
    }
    const ArchiveFacts& archive = directory.archive;
    if (archive.given_up > 0)
        found.push_back({"wal_given_up", Weight::kError, formatted("WAL was given up in {} places that are in no gap ledger yet: the repository could not take it", archive.given_up),
                         "Make the repository reachable, and type \"SELECT * FROM steward.backup()\" in psql."});
    // A standby marks nothing that somebody else does not store; a stopped server stores nothing.
    if (directory.is_standby || !directory.server || !archive.oldest_waiting || facts.now - *archive.oldest_waiting < kLongWait) return;
    found.push_back({"archiving_behind", Weight::kError,
                     formatted("{} WAL files wait to be archived, the oldest for {}", archive.waiting, describe_age(facts.now - *archive.oldest_waiting)),
                     "Type \"SELECT * FROM steward.wal_archive\" in psql: it has the last error."});
}

void diagnose_disks(const DoctorFacts& facts, Found& found) {
    for (const DiskFacts& disk : facts.disks) {
        const double share = disk.total_bytes == 0 ? 1 : static_cast<double>(disk.free_bytes) / static_cast<double>(disk.total_bytes);
        if (share >= kFillingShare) continue;
        const bool full = disk.free_bytes < kFullBytes || share < kFullShare;
        found.push_back({full ? "disk_full" : "disk_filling", full ? Weight::kError : Weight::kWarning,
                         formatted("the file system of the {} \"{}\" has {} of {} free", disk.what, disk.path.native(), pretty_size(disk.free_bytes), pretty_size(disk.total_bytes)),
                         formatted("Make room there; \"du -x --max-depth=1 {}\" says where it went. Never remove files of pg_wal.", disk.path.native())});
    }
}

void diagnose_repositories(const DoctorFacts& facts, Found& found) {
    for (const RepositoryHealth& repository : facts.repositories) {
        if (!is_usable(facts, repository, found)) continue;
        diagnose_backups(facts, repository, found);
        diagnose_holes(repository, found);
        if (repository.newest) diagnose_proof(facts, repository, found);
    }
    if (facts.backup_was_due)
        found.push_back({"backup_overdue", Weight::kWarning, formatted("a backup was due {} ago, and none has been taken since", describe_age(facts.now - *facts.backup_was_due)),
                         "Type \"SELECT * FROM steward.jobs ORDER BY number DESC LIMIT 5\" in psql: it says how the last ones ended."});
}

}  // namespace steward
