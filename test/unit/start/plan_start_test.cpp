#include "core/start/plan_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace steward {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using Content = SeedContent;

constexpr uid_t kRoot = 0, kServerUser = 100, kStranger = 101;

StartEvidence evidence_of(Content content) {
    StartEvidence evidence;
    evidence.directory.directory = "/srv/pg/data";
    evidence.directory.content = content;
    if (content != Content::kMissing) evidence.directory.owner = FileOwner{kServerUser, kServerUser};
    if (content == Content::kCluster) evidence.directory.cluster = SeedCluster{17, 42, ClusterState::kShutDown};
    if (content == Content::kForeign) evidence.directory.names = {"photos"};
    evidence.user = kServerUser;
    evidence.bindir = "/opt/pg/bin";
    evidence.programs_major = 17;
    return evidence;
}

/// The names of the steps that are due, or the code of the refusal.
std::vector<std::string> steps_of(const StartRequest& request, const StartEvidence& evidence) {
    const Result<StartPlan> plan = plan_start(request, evidence);
    if (!plan.ok()) return {std::string(info(plan.error().code()).name)};
    std::vector<std::string> names;
    for (const StartStep& step : plan->steps)
        if (step.is_due) names.emplace_back(to_string(step.kind));
    return names;
}

StartRequest request_with(bool restore, bool initialize) {
    StartRequest request;
    request.seed.restore = restore;
    request.seed.initialize = initialize;
    return request;
}

TEST(PlanStart, ChecksPermissionsOfAClusterThatIsThereAndStartsIt) {
    EXPECT_THAT(steps_of({}, evidence_of(Content::kCluster)), ElementsAre("permissions", "preseed", "server"));
    EXPECT_FALSE(plan_start({}, evidence_of(Content::kCluster))->fixes_permissions);
}

TEST(PlanStart, NamesEveryStepWithAReason) {
    const StartPlan plan = plan_start({}, evidence_of(Content::kCluster)).value();
    EXPECT_EQ(plan.steps.size(), 7U);
    for (const StartStep& step : plan.steps) EXPECT_TRUE(step.reason.ends_with('.')) << to_string(step.kind);
}

TEST(PlanStart, FixesPermissionsAsRootAndThenGivesRootUp) {
    StartEvidence evidence = evidence_of(Content::kCluster);
    evidence.user = kRoot;
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("permissions", "user", "preseed", "server"));
    const StartPlan plan = plan_start({}, evidence).value();
    EXPECT_TRUE(plan.fixes_permissions);
    EXPECT_EQ(plan.owner->user, kServerUser);
}

TEST(PlanStart, WantsToKnowTheServersUserAsRoot) {
    StartEvidence evidence = evidence_of(Content::kMissing);
    evidence.user = kRoot;
    EXPECT_THAT(steps_of(request_with(true, false), evidence), ElementsAre("usage"));
    evidence.asked_owner = FileOwner{kRoot, kRoot};
    EXPECT_THAT(steps_of(request_with(true, false), evidence), ElementsAre("usage"));
    evidence.asked_owner = FileOwner{kServerUser, kServerUser};
    EXPECT_THAT(steps_of(request_with(true, false), evidence), ElementsAre("user", "preseed", "server"));
    evidence = evidence_of(Content::kCluster);
    evidence.user = kRoot;
    evidence.directory.owner = FileOwner{kRoot, kRoot};
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("usage"));
    evidence.asked_owner = FileOwner{kServerUser, kServerUser};
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("permissions", "user", "preseed", "server"));
}

TEST(PlanStart, GivesAnEmptyDirectoryOfAnotherUserToTheServersUser) {
    StartEvidence evidence = evidence_of(Content::kEmpty);
    evidence.user = kRoot;
    EXPECT_THAT(steps_of(request_with(false, true), evidence), ElementsAre("user", "preseed", "server"));
    evidence.directory.owner = FileOwner{kRoot, kRoot};
    evidence.asked_owner = FileOwner{kServerUser, kServerUser};
    EXPECT_THAT(steps_of(request_with(false, true), evidence), ElementsAre("directory", "user", "preseed", "server"));
    evidence.directory.content = Content::kForeign;
    evidence.directory.names = {"photos"};
    EXPECT_THAT(steps_of(request_with(false, true), evidence), ElementsAre("already_exists"));
}

TEST(PlanStart, RefusesOtherUsers) {
    StartEvidence evidence = evidence_of(Content::kCluster);
    evidence.user = kStranger;
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("permission_denied"));
    evidence = evidence_of(Content::kCluster);
    evidence.asked_owner = FileOwner{kStranger, kStranger};
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("usage"));
    evidence.asked_owner = FileOwner{kServerUser, kServerUser};
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("permissions", "preseed", "server"));
}

TEST(PlanStart, RefusesARunningServer) {
    StartEvidence evidence = evidence_of(Content::kCluster);
    evidence.server = 4711;
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("busy"));
}

TEST(PlanStart, RefusesWhatPreseedWouldRefuseBeforeAnythingIsChanged) {
    EXPECT_THAT(steps_of({}, evidence_of(Content::kMissing)), ElementsAre("not_found"));
    EXPECT_THAT(steps_of({}, evidence_of(Content::kEmpty)), ElementsAre("not_found"));
    EXPECT_THAT(steps_of({}, evidence_of(Content::kInterrupted)), ElementsAre("not_found"));
    EXPECT_THAT(steps_of(request_with(true, true), evidence_of(Content::kDamaged)), ElementsAre("corrupt_object"));
    EXPECT_THAT(steps_of(request_with(true, true), evidence_of(Content::kForeign)), ElementsAre("already_exists"));
    StartEvidence unmounted = evidence_of(Content::kEmpty);
    unmounted.directory.unmounted = {{"/srv/pg", "\"/srv/pg\" is no mount point."}};
    EXPECT_THAT(steps_of(request_with(true, true), unmounted), ElementsAre("wrong_state"));
    StartRequest expecting;
    expecting.seed.expected_identifier = 43;
    EXPECT_THAT(steps_of(expecting, evidence_of(Content::kCluster)), ElementsAre("foreign_repository"));
}

TEST(PlanStart, LeavesWhatRepositoriesDecideToPreseed) {
    for (const Content content : {Content::kMissing, Content::kEmpty, Content::kInterrupted}) {
        EXPECT_THAT(steps_of(request_with(true, false), evidence_of(content)), ElementsAre("preseed", "server"));
        EXPECT_THAT(steps_of(request_with(true, true), evidence_of(content)), ElementsAre("preseed", "server"));
    }
    EXPECT_THAT(steps_of(request_with(false, true), evidence_of(Content::kMissing)), ElementsAre("preseed", "server"));
    EXPECT_THAT(steps_of(request_with(false, true), evidence_of(Content::kInterrupted)), ElementsAre("not_found"));
}

TEST(PlanStart, RefusesProgramsOfAnotherRelease) {
    StartEvidence evidence = evidence_of(Content::kCluster);
    evidence.programs_major = 18;
    const Result<StartPlan> newer = plan_start({}, evidence);
    ASSERT_FALSE(newer.ok());
    EXPECT_EQ(newer.error().code(), ErrorCode::wrong_version);
    EXPECT_EQ(newer.error().message(), "the cluster is of PostgreSQL 17, and the programs are of 18");
    EXPECT_THAT(newer.error().hint(), HasSubstr("Upgrade"));
    evidence.programs_major = 16;
    const Result<StartPlan> older = plan_start({}, evidence);
    ASSERT_FALSE(older.ok());
    EXPECT_THAT(older.error().hint(), HasSubstr("older release"));
    StartRequest request;
    request.major = 17;
    EXPECT_THAT(steps_of(request, evidence), ElementsAre("wrong_version"));
    evidence.programs_major = 17;
    EXPECT_THAT(steps_of(request, evidence), ElementsAre("permissions", "preseed", "server"));
}

/// A cluster of 15, whose programs were found, with the programs of 18 to run and permission to upgrade.
StartEvidence older_cluster() {
    StartEvidence evidence = evidence_of(Content::kCluster);
    evidence.directory.cluster->major = 15;
    evidence.programs_major = 18;
    evidence.old_bindir = "/opt/15/bin";
    return evidence;
}

StartRequest upgrading() {
    StartRequest request;
    request.auto_upgrade = true;
    return request;
}

/// An upgrade from 15 to 18 by copy, with a cluster of `major` in the data directory.
SeenUpgrade upgrade_in(UpgradeState state, int major) {
    SeenUpgrade upgrade;
    upgrade.data_directory = "/srv/pg/data";
    upgrade.work_directory = "/srv/pg/data.upgrade";
    upgrade.request.from = 15;
    upgrade.request.path = {18};
    upgrade.request.system_identifier = 42;
    upgrade.state = state;
    upgrade.major = major;
    upgrade.owner = FileOwner{kServerUser, kServerUser};
    return upgrade;
}

/// The data directory in the middle of that upgrade.
StartEvidence amid_upgrade(Content content, int major, UpgradeState state = UpgradeState::kUnderWay) {
    StartEvidence evidence = evidence_of(content);
    if (evidence.directory.cluster) evidence.directory.cluster->major = major;
    evidence.directory.upgrade = upgrade_in(state, major);
    evidence.programs_major = 18;
    return evidence;
}

TEST(PlanStart, UpgradesAnOlderClusterByPermissionOnly) {
    EXPECT_THAT(steps_of({}, older_cluster()), ElementsAre("wrong_version"));
    EXPECT_THAT(plan_start({}, older_cluster()).error().hint(),
                AllOf(HasSubstr("--auto-upgrade"), HasSubstr("AUTO_UPGRADE"), HasSubstr("pg_steward upgrade run --data-dir /srv/pg/data --to 18")));
    EXPECT_THAT(steps_of(upgrading(), older_cluster()), ElementsAre("permissions", "preseed", "upgrade", "server"));
    EXPECT_FALSE(plan_start(upgrading(), older_cluster())->resumes_upgrade);
    StartRequest request = upgrading();
    request.reset_role = "app";
    request.password = PasswordSource::kVariable;
    request.start = false;
    EXPECT_THAT(steps_of(request, older_cluster()), ElementsAre("permissions", "preseed", "upgrade", "password"));
    StartEvidence same = older_cluster();
    same.programs_major = 15;
    EXPECT_THAT(steps_of(upgrading(), same), ElementsAre("permissions", "preseed", "server"));
}

TEST(PlanStart, RefusesAnUpgradeThatCannotBe) {
    StartEvidence ancient = older_cluster();
    ancient.directory.cluster->major = 12;
    EXPECT_THAT(steps_of(upgrading(), ancient), ElementsAre("wrong_version"));
    EXPECT_THAT(plan_start(upgrading(), ancient).error().hint(), HasSubstr("13 and later"));
    StartEvidence without_programs = older_cluster();
    without_programs.old_bindir.reset();
    EXPECT_THAT(steps_of(upgrading(), without_programs), ElementsAre("not_found"));
    EXPECT_THAT(plan_start(upgrading(), without_programs).error().hint(), HasSubstr("--old-bindir"));
    StartEvidence mounted = older_cluster();
    mounted.directory.in_place = true;
    EXPECT_THAT(steps_of(upgrading(), mounted), ElementsAre("wrong_state"));
    EXPECT_THAT(plan_start(upgrading(), mounted).error().hint(), HasSubstr("/srv/pg/data/data"));
    StartEvidence newer = older_cluster();
    newer.directory.cluster->major = 19;
    EXPECT_THAT(steps_of(upgrading(), newer), ElementsAre("wrong_version"));
}

TEST(PlanStart, GoesOnWithAnUpgradeWhateverIsInTheDataDirectory) {
    for (const auto& [content, major] : {std::pair(Content::kCluster, 15), {Content::kCluster, 18}, {Content::kDamaged, 15}, {Content::kMissing, 0}, {Content::kEmpty, 0}}) {
        const StartEvidence evidence = amid_upgrade(content, major);
        StartRequest request = upgrading();
        // None of these may be made use of.
        request.seed = {true, true, {}};
        request.password = PasswordSource::kVariable;
        EXPECT_THAT(steps_of(request, evidence), ElementsAre("upgrade", "server")) << to_string(content);
        EXPECT_TRUE(plan_start(request, evidence)->resumes_upgrade);
        EXPECT_FALSE(plan_start(request, evidence)->password_is_for_new_cluster);
        request.reset_role = "app";
        EXPECT_THAT(steps_of(request, evidence), ElementsAre("upgrade", "password", "server")) << to_string(content);
    }
}

TEST(PlanStart, RefusesToStartAmidAnUpgradeWithoutPermissionToGoOn) {
    for (const auto& [content, major] : {std::pair(Content::kCluster, 15), {Content::kCluster, 18}, {Content::kDamaged, 15}, {Content::kMissing, 0}, {Content::kEmpty, 0}}) {
        for (const int programs : {15, 18}) {
            StartEvidence evidence = amid_upgrade(content, major);
            evidence.programs_major = programs;
            EXPECT_THAT(steps_of(request_with(true, true), evidence), ElementsAre("wrong_state")) << to_string(content) << programs;
            EXPECT_THAT(plan_start({}, evidence).error().message(), HasSubstr("\"can be resumed\""));
            EXPECT_THAT(plan_start({}, evidence).error().hint(), AllOf(HasSubstr("AUTO_UPGRADE"), HasSubstr("upgrade run --data-dir /srv/pg/data"), HasSubstr("upgrade rollback")));
        }
    }
}

TEST(PlanStart, GoesOnWithTheUpgradeThatIsUnderWayAndNoOther) {
    StartEvidence evidence = amid_upgrade(Content::kCluster, 15);
    evidence.programs_major = 19;
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("wrong_version"));
    evidence.programs_major = 15;
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("wrong_version"));
    EXPECT_THAT(plan_start(upgrading(), evidence).error().hint(), AllOf(HasSubstr("the programs of 18"), HasSubstr("upgrade rollback")));
    StartRequest request = upgrading();
    request.upgrade_method = TransferMethod::kLink;
    EXPECT_THAT(steps_of(request, amid_upgrade(Content::kCluster, 15)), ElementsAre("usage"));
    request.upgrade_method = TransferMethod::kCopy;
    EXPECT_THAT(steps_of(request, amid_upgrade(Content::kCluster, 15)), ElementsAre("upgrade", "server"));
    evidence = amid_upgrade(Content::kCluster, 15);
    evidence.directory.upgrade->at_work = true;
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("busy"));
}

TEST(PlanStart, LeavesToAnUpgradeTheServerThatItLeft) {
    StartEvidence evidence = amid_upgrade(Content::kCluster, 15);
    evidence.server = 4711;
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("busy"));
    evidence.server_is_left = true;
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("upgrade", "server"));
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("wrong_state"));
    // It may be of a pg_upgrade that somebody runs by hand.
    evidence.directory.upgrade.reset();
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("busy"));
}

TEST(PlanStart, TakesTheOwnerOfTheWorkDirectoryAsRoot) {
    StartEvidence evidence = amid_upgrade(Content::kMissing, 0);
    evidence.user = kRoot;
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("user", "upgrade", "server"));
    EXPECT_EQ(plan_start(upgrading(), evidence)->owner->user, kServerUser);
}

TEST(PlanStart, StartsWhatAnUpgradeHasMadeAndNothingElse) {
    StartEvidence upgraded = amid_upgrade(Content::kCluster, 18, UpgradeState::kUpgraded);
    for (const StartRequest& request : {StartRequest(), upgrading(), request_with(true, true)}) {
        EXPECT_THAT(steps_of(request, upgraded), ElementsAre("permissions", "preseed", "server"));
        EXPECT_THAT(steps_of(request, amid_upgrade(Content::kCluster, 18, UpgradeState::kCommitting)), ElementsAre("permissions", "preseed", "server"));
        for (const UpgradeState state : {UpgradeState::kUpgraded, UpgradeState::kCommitting, UpgradeState::kMustRollBack, UpgradeState::kRollingBack}) {
            EXPECT_THAT(steps_of(request, amid_upgrade(Content::kCluster, 15, state)), ElementsAre("wrong_state")) << name_of(state);
            EXPECT_THAT(steps_of(request, amid_upgrade(Content::kMissing, 0, state)), ElementsAre("wrong_state")) << name_of(state);
        }
    }
    const StartPlan plan = plan_start({}, upgraded).value();
    const auto step = std::ranges::find(plan.steps, StartStepKind::kUpgrade, &StartStep::kind);
    EXPECT_THAT(step->reason, AllOf(HasSubstr("not committed"), HasSubstr("upgrade commit"), HasSubstr("upgrade rollback")));
}

TEST(PlanStart, WantsOneUpgradeCommittedBeforeTheNext) {
    StartEvidence evidence = amid_upgrade(Content::kCluster, 18, UpgradeState::kUpgraded);
    evidence.programs_major = 19;
    evidence.old_bindir = "/opt/18/bin";
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("wrong_state"));
    EXPECT_THAT(plan_start(upgrading(), evidence).error().detail(), HasSubstr("upgrade commit"));
    evidence.programs_major = 15;
    EXPECT_THAT(plan_start(upgrading(), evidence).error().hint(), HasSubstr("upgrade rollback"));
}

TEST(PlanStart, StartsTheOldClusterAfterARollback) {
    StartEvidence evidence = amid_upgrade(Content::kCluster, 15, UpgradeState::kRolledBack);
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("wrong_version"));
    evidence.old_bindir = "/opt/15/bin";
    EXPECT_THAT(steps_of(upgrading(), evidence), ElementsAre("permissions", "preseed", "upgrade", "server"));
    evidence.programs_major = 15;
    EXPECT_THAT(steps_of({}, evidence), ElementsAre("permissions", "preseed", "server"));
}

TEST(PlanStart, SetsARolesPasswordOnceThereIsACluster) {
    StartRequest request;
    request.reset_role = "app";
    request.password = PasswordSource::kVariable;
    EXPECT_THAT(steps_of(request, evidence_of(Content::kCluster)), ElementsAre("permissions", "preseed", "password", "server"));
    request.seed.restore = true;
    EXPECT_THAT(steps_of(request, evidence_of(Content::kEmpty)), ElementsAre("wrong_state"));
    request.seed.initialize = true;
    EXPECT_THAT(steps_of(request, evidence_of(Content::kEmpty)), ElementsAre("preseed", "password", "server"));
    EXPECT_FALSE(plan_start(request, evidence_of(Content::kEmpty))->password_is_for_new_cluster);
}

TEST(PlanStart, GivesAPasswordWithoutARoleToTheSuperuserOfANewClusterOnly) {
    StartRequest request = request_with(true, true);
    request.password = PasswordSource::kFile;
    EXPECT_TRUE(plan_start(request, evidence_of(Content::kMissing))->password_is_for_new_cluster);
    EXPECT_FALSE(plan_start(request, evidence_of(Content::kCluster))->password_is_for_new_cluster);
    request.seed.initialize = false;
    EXPECT_FALSE(plan_start(request, evidence_of(Content::kMissing))->password_is_for_new_cluster);
}

TEST(PlanStart, LeavesOutWhatIsNotWanted) {
    StartRequest request;
    request.permissions = false;
    request.start = false;
    EXPECT_THAT(steps_of(request, evidence_of(Content::kCluster)), ElementsAre("preseed"));
}

TEST(ServerCommand, PutsTheOperatorsOptionsLast) {
    EXPECT_THAT(server_command("/opt/pg/bin", "/srv/pg/data", std::nullopt, {"-p", "5433"}), ElementsAre("/opt/pg/bin/postgres", "-D", "/srv/pg/data", "-p", "5433"));
    EXPECT_THAT(server_command("/opt/pg/bin", "/srv/pg/data", "/etc/pg.conf", {}),
                ElementsAre("/opt/pg/bin/postgres", "-D", "/srv/pg/data", "-c", "config_file=/etc/pg.conf", "-c", "data_directory=/srv/pg/data"));
}

}  // namespace
}  // namespace steward
