#include "core/doctor/diagnose.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace steward {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const TimePoint kNow = TimePoint(std::chrono::days(20'000));
constexpr uint64_t kOurs = 42;

/// A server that runs, with one repository, of which nothing is wrong.
DoctorFacts sound_facts() {
    DoctorFacts facts;
    facts.now = kNow;
    facts.program_version = "0.1.0";
    facts.has_repository = facts.has_backup_schedule = facts.has_drill_schedule = true;
    DataDirectoryFacts directory;
    directory.path = "/srv/pg/data";
    directory.evidence.content = SeedContent::kCluster;
    directory.evidence.cluster = SeedCluster{17, kOurs, ClusterState::kInProduction};
    directory.server = 4711;
    directory.config_file = "/srv/pg/data/postgresql.conf";
    directory.configuration = {{"shared_preload_libraries", "pg_stat_statements, pg_steward"}};
    facts.directory = directory;
    facts.installation = {.bindir = "/opt/pg/bin", .major = 17, .module = "/opt/pg/lib/pg_steward.so", .has_module = true, .module_version = "0.1.0",
                          .engine = "/opt/pg/bin/pg_steward", .engine_version = "0.1.0"};
    facts.disks = {{"data directory", "/srv/pg/data", uint64_t{500} << 30, uint64_t{1000} << 30}};
    RepositoryHealth repository;
    repository.evidence = {"file:///repository", RepositoryState::kWithBackups, kOurs, {}};
    repository.newest = BackupFacts{"b", 17, kNow - 3h};
    repository.backups = 1;
    repository.verified = kNow - std::chrono::days(2);
    repository.last_drill = DrillOutcome{kNow - std::chrono::days(3), "b", {}};
    facts.repositories = {repository};
    return facts;
}

/// "weight name" of each finding after `change`.
std::vector<std::string> findings_after(const std::function<void(DoctorFacts&)>& change) {
    DoctorFacts facts = sound_facts();
    change(facts);
    std::vector<std::string> names;
    for (const Diagnosis& finding : diagnose(facts)) {
        EXPECT_FALSE(finding.summary.empty()) << finding.name;
        EXPECT_TRUE(finding.cure.ends_with('.') || finding.cure.ends_with('"')) << finding.name << ": " << finding.cure;
        names.push_back(std::string(to_string(finding.weight)) + " " + finding.name);
    }
    return names;
}

TEST(Diagnose, FindsNothingInASoundInstallation) { EXPECT_THAT(findings_after([](DoctorFacts&) {}), IsEmpty()); }

TEST(Diagnose, WorksWithNothingConfigured) {
    DoctorFacts nothing;
    nothing.now = kNow;
    const std::vector<Diagnosis> found = diagnose(nothing);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].name, "no_repository");
    EXPECT_EQ(found[1].name, "no_data_directory");
}

struct DiagnoseCase {
    const char* expected;
    std::function<void(DoctorFacts&)> change;
};

TEST(Diagnose, FindsEachThingThatIsWrongAndNothingElse) {
    const Error denied = Error(ErrorCode::permission_denied, "could not look").hint("Be somebody else.");
    const DiagnoseCase cases[] = {
        {"error settings", [](DoctorFacts& f) { f.settings_problem = Error(ErrorCode::configuration, "bad").detail("Worse."); }},
        {"warning no_repository", [](DoctorFacts& f) { f.has_repository = false; f.repositories.clear(); }},
        {"note no_data_directory", [](DoctorFacts& f) { f.directory.reset(); }},
        {"error data_directory_unreadable", [&](DoctorFacts& f) { f.directory->problem = denied; f.has_repository = false; f.repositories.clear(); }},
        {"error no_cluster", [](DoctorFacts& f) { f.directory->evidence.content = SeedContent::kMissing; }},
        {"error restore_interrupted", [](DoctorFacts& f) { f.directory->evidence.content = SeedContent::kInterrupted; }},
        {"error cluster_damaged", [](DoctorFacts& f) { f.directory->evidence.content = SeedContent::kDamaged; }},
        {"error not_a_data_directory", [](DoctorFacts& f) { f.directory->evidence.content = SeedContent::kForeign; }},
        {"error volume_not_mounted", [](DoctorFacts& f) { f.directory->evidence.unmounted = {{"/srv/wal", "It is not there."}}; }},
        {"note server_down", [](DoctorFacts& f) { f.directory->server.reset(); f.directory->evidence.cluster->state = ClusterState::kShutDown; }},
        {"warning server_ended_abnormally", [](DoctorFacts& f) { f.directory->server.reset(); }},
        {"error permissions", [](DoctorFacts& f) { f.directory->permissions = {{}, 2, 1, "/srv/pg/data", "It is open to all.", {}}; }},
        {"warning permissions", [](DoctorFacts& f) { f.directory->permissions = {{}, 0, 1, "/srv/pg/data", "It is open to all.", {}}; }},
        {"note permissions_unknown", [&](DoctorFacts& f) { f.directory->permissions.problem = denied; }},
        {"error configuration_unreadable", [&](DoctorFacts& f) { f.directory->configuration_problem = denied; }},
        {"error not_preloaded", [](DoctorFacts& f) { f.directory->configuration["shared_preload_libraries"] = "pg_steward_not"; }},
        {"error not_preloaded", [](DoctorFacts& f) { f.directory->configuration.clear(); }},
        {"error archive_mode", [](DoctorFacts& f) { f.directory->configuration["archive_mode"] = "off"; }},
        {"error archive_library", [](DoctorFacts& f) { f.directory->configuration["archive_library"] = "basic_archive"; }},
        {"error archive_command", [](DoctorFacts& f) { f.directory->configuration["archive_command"] = "cp %p /x"; }},
        {"error wal_level", [](DoctorFacts& f) { f.directory->configuration["wal_level"] = "minimal"; }},
        {"error no_server_programs", [](DoctorFacts& f) { f.installation.major.reset(); }},
        {"error other_release", [](DoctorFacts& f) { f.installation.major = 18; }},
        {"error no_module", [](DoctorFacts& f) { f.installation.has_module = false; }},
        {"error no_engine", [](DoctorFacts& f) { f.installation.engine_version.clear(); }},
        {"error versions_differ", [](DoctorFacts& f) { f.installation.engine_version = "0.2.0"; }},
        {"note own_version_differs", [](DoctorFacts& f) { f.program_version = "0.2.0"; }},
        {"error wal_given_up", [](DoctorFacts& f) { f.directory->archive.given_up = 1; }},
        {"error archiving_behind", [](DoctorFacts& f) { f.directory->archive = {3, kNow - 10min, 0}; }},
        {"error archive_status_unreadable", [&](DoctorFacts& f) { f.directory->archive_problem = denied; }},
        {"warning disk_filling", [](DoctorFacts& f) { f.disks[0].free_bytes = uint64_t{50} << 30; }},
        {"error disk_full", [](DoctorFacts& f) { f.disks[0].free_bytes = uint64_t{10} << 30; }},
        {"error repository_unreachable", [](DoctorFacts& f) { f.repositories[0].evidence.state = RepositoryState::kUnreachable; }},
        {"error repository_unused", [](DoctorFacts& f) { f.repositories[0].evidence.state = RepositoryState::kEmpty; }},
        {"error repository_foreign", [](DoctorFacts& f) { f.repositories[0].evidence.system_identifier = kOurs + 1; }},
        {"warning repository_to_take_over", [](DoctorFacts& f) {
             f.repositories[0].evidence.system_identifier = kOurs + 1;
             f.directory->evidence.cluster->predecessors = {kOurs + 2, kOurs + 1};
         }},
        {"error repository_unreadable", [&](DoctorFacts& f) { f.repositories[0].problem = denied; }},
        {"error no_backup", [](DoctorFacts& f) { f.repositories[0].newest.reset(); }},
        {"error backup_of_other_release", [](DoctorFacts& f) { f.repositories[0].newest->major = 16; }},
        {"warning backup_overdue", [](DoctorFacts& f) { f.backup_was_due = kNow - 5h; }},
        {"warning backup_old", [](DoctorFacts& f) { f.has_backup_schedule = false; f.repositories[0].newest->stopped = kNow - std::chrono::days(8); }},
        {"error object_damaged", [](DoctorFacts& f) { f.repositories[0].damaged = {"a manifest is damaged"}; }},
        {"error wal_missing", [](DoctorFacts& f) { f.repositories[0].holes = {"WAL segment \"1\" is missing"}; }},
        {"note wal_missing_before", [](DoctorFacts& f) { f.repositories[0].older_holes = {"WAL segment \"1\" is missing"}; }},
        {"warning never_verified", [](DoctorFacts& f) { f.repositories[0].verified.reset(); }},
        {"error verification_failed", [](DoctorFacts& f) { f.repositories[0].verification_problems = 1; }},
        {"warning verified_long_ago", [](DoctorFacts& f) { f.repositories[0].verified = kNow - std::chrono::days(36); }},
        {"warning never_drilled", [](DoctorFacts& f) { f.repositories[0].last_drill.reset(); }},
        {"note never_drilled", [](DoctorFacts& f) { f.repositories[0].last_drill.reset(); f.has_drill_schedule = false; }},
        {"error drill_failed", [](DoctorFacts& f) { f.repositories[0].last_drill->failure = "no space"; }},
        {"warning drilled_long_ago", [](DoctorFacts& f) { f.repositories[0].last_drill->time = kNow - std::chrono::days(36); }},
    };
    for (const DiagnoseCase& each : cases) EXPECT_THAT(findings_after(each.change), ElementsAre(each.expected));
}

TEST(Diagnose, KnowsTheModuleHoweverItIsListed) {
    for (const char* list : {"pg_steward", "a,pg_steward,b", "\"pg_steward\"", " $libdir/pg_steward.so ", "a , pg_steward"})
        EXPECT_THAT(findings_after([&](DoctorFacts& f) { f.directory->configuration["shared_preload_libraries"] = list; }), IsEmpty()) << list;
}

TEST(Diagnose, NamesWhatIsPreloadedAlreadyInTheCure) {
    DoctorFacts facts = sound_facts();
    facts.directory->configuration["shared_preload_libraries"] = "a,b";
    EXPECT_THAT(diagnose(facts).front().cure, HasSubstr("shared_preload_libraries = 'a,b,pg_steward'"));
}

TEST(Diagnose, SaysNothingOfWaitingWalWhereNobodyStoresIt) {
    const ArchiveFacts waiting{3, kNow - 10min, 0};
    EXPECT_THAT(findings_after([&](DoctorFacts& f) { f.directory->archive = waiting; f.directory->is_standby = true; }), IsEmpty());
    EXPECT_THAT(findings_after([&](DoctorFacts& f) { f.directory->archive = {3, kNow - 1min, 0}; }), IsEmpty());
}

TEST(Diagnose, PutsTheHeaviestFirst) {
    EXPECT_THAT(findings_after([](DoctorFacts& f) {
                    f.program_version = "0.2.0";
                    f.repositories[0].verified.reset();
                    f.repositories[0].holes = {"WAL segment \"1\" is missing"};
                }),
                ElementsAre("error wal_missing", "warning never_verified", "note own_version_differs"));
}

TEST(Ages, AreToldInOneUnit) {
    EXPECT_EQ(describe_age(-5s), "0 seconds");
    EXPECT_EQ(describe_age(1s), "1 second");
    EXPECT_EQ(describe_age(119s), "119 seconds");
    EXPECT_EQ(describe_age(2min), "2 minutes");
    EXPECT_EQ(describe_age(119min), "119 minutes");
    EXPECT_EQ(describe_age(47h), "47 hours");
    EXPECT_EQ(describe_age(48h), "2 days");
}

}  // namespace
}  // namespace steward
