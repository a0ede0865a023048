#include "core/start/plan_start.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace steward {
namespace {

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
