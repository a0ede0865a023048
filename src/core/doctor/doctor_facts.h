// What a doctor's look at an installation found out. Plain facts: what is wrong with them is decided in diagnose.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/base/error.h"
#include "core/postgres/configuration.h"
#include "core/preseed/plan_seed.h"
#include "core/preseed/seed_evidence.h"
#include "core/proof/drill.h"

namespace steward {

/// What is wrong with owners and modes.
struct PermissionFacts {
    std::optional<Error> problem;       ///< they could not be judged
    uint64_t errors = 0;
    uint64_t warnings = 0;
    std::string worst;                  ///< the path of the first error, or warning where there is no error
    std::string why;                    ///< full sentences
    std::string cure;                   ///< where "permissions fix" has none
};

/// The programs, and what the extension has installed beside them.
struct InstallationFacts {
    std::filesystem::path bindir;
    std::optional<int> major;                    ///< of postgres; nothing when it does not run
    std::filesystem::path module;                ///< where the server looks for it; empty when that is not known
    bool has_module = false;
    std::string module_version;                  ///< of the control file; empty when there is none
    std::filesystem::path engine;                ///< the program that the server starts
    std::string engine_version;                  ///< empty when it does not run
};

struct DiskFacts {
    std::string what;                            ///< "data directory", "WAL directory", or a repository's URL
    std::filesystem::path path;
    uint64_t free_bytes = 0;                     ///< for the user who asks
    uint64_t total_bytes = 0;
};

/// WAL that waits in the data directory.
struct ArchiveFacts {
    uint64_t waiting = 0;                        ///< files marked ready
    std::optional<TimePoint> oldest_waiting;     ///< when the oldest mark was made
    uint64_t given_up = 0;                       ///< ranges that no ledger has yet
};

struct DataDirectoryFacts {
    std::filesystem::path path;                  ///< absolute
    std::optional<Error> problem;                ///< it could not be looked at; all that follows is empty then
    SeedEvidence evidence;
    std::optional<pid_t> server;                 ///< a process that works in it
    bool is_standby = false;                     ///< it has a signal file
    std::filesystem::path config_file;
    std::optional<Error> configuration_problem;
    ServerConfiguration configuration;           ///< of the files; not what a running server has taken over
    PermissionFacts permissions;
    std::optional<Error> archive_problem;
    ArchiveFacts archive;

    bool has_cluster() const { return !problem && evidence.content == SeedContent::kCluster; }
};

struct BackupFacts {
    std::string label;
    int major = 0;
    TimePoint stopped;
};

struct RepositoryHealth {
    RepositoryEvidence evidence;
    std::optional<Error> problem;                    ///< it was reached, and its content could not be read
    std::optional<BackupFacts> newest;
    uint64_t backups = 0;
    std::vector<std::string> damaged;                ///< messages
    std::vector<std::string> holes;                  ///< behind the newest backup: nothing after them is reached. Clauses
    std::vector<std::string> older_holes;            ///< the others
    std::optional<TimePoint> recoverable_from;       ///< as far as known
    std::optional<TimePoint> recoverable_until;      ///< at least
    std::optional<TimePoint> verified;
    uint64_t verification_problems = 0;
    std::optional<DrillOutcome> last_drill;
};

struct DoctorFacts {
    TimePoint now;
    std::string program_version;                 ///< of the program that looks
    std::optional<Error> settings_problem;
    bool has_repository = false;                 ///< one is configured
    std::optional<TimePoint> backup_was_due;     ///< by the schedule, a run that began after the newest backup of all was due twice
    bool has_backup_schedule = false;
    bool has_drill_schedule = false;
    std::optional<DataDirectoryFacts> directory; ///< nothing: none was named
    InstallationFacts installation;
    std::vector<DiskFacts> disks;
    std::vector<RepositoryHealth> repositories;
};

}  // namespace steward
