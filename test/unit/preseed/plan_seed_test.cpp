#include "core/preseed/plan_seed.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace steward {
namespace {

constexpr uint64_t kOurs = 7000000000000000001, kTheirs = 7000000000000000002;
using State = RepositoryState;
using Content = SeedContent;

SeedEvidence evidence_of(Content content) {
    SeedEvidence evidence;
    evidence.directory = "/srv/pg/data";
    evidence.content = content;
    if (content == Content::kCluster) evidence.cluster = SeedCluster{17, kOurs, ClusterState::kShutDown};
    if (content == Content::kDamaged) evidence.damage = "It has a control file and no file \"PG_VERSION\".";
    if (content == Content::kForeign) evidence.names = {"photos"};
    evidence.entries = evidence.names.size();
    return evidence;
}

RepositoryEvidence repository_of(State state, uint64_t identifier = kOurs) {
    RepositoryEvidence repository{"file:///repository", state, std::nullopt, {}};
    if (state == State::kWithoutBackup || state == State::kWithBackups) repository.system_identifier = identifier;
    if (state == State::kUnreachable) repository.problem = "connection refused";
    return repository;
}

/// "present", "restore", "initialize", or the code of the refusal.
std::string outcome(const SeedRequest& request, const SeedEvidence& evidence, const std::vector<RepositoryEvidence>& repositories) {
    const SeedDecision decision = decide_seed(request, evidence, repositories);
    if (!decision.refusal) return std::string(to_string(decision.action));
    return std::string(info(decision.refusal->code()).name);
}

const SeedRequest kNothing{}, kRestoreOnly{true, false, {}}, kInitializeOnly{false, true, {}}, kBoth{true, true, {}};

TEST(PlanSeed, DecidesByContentAndConsent) {
    const RepositoryEvidence full = repository_of(State::kWithBackups), unreachable = repository_of(State::kUnreachable),
                             empty = repository_of(State::kEmpty), known = repository_of(State::kWithoutBackup);
    struct Row {
        Content content;
        const SeedRequest* request;
        std::vector<RepositoryEvidence> repositories;
        const char* expected;
    };
    const Row rows[] = {
        {Content::kCluster, &kNothing, {}, "present"},
        {Content::kCluster, &kBoth, {full}, "present"},
        {Content::kCluster, &kRestoreOnly, {unreachable}, "present"},
        {Content::kCluster, &kNothing, {repository_of(State::kWithBackups, kTheirs)}, "foreign_repository"},
        {Content::kCluster, &kNothing, {unreachable, repository_of(State::kWithoutBackup, kTheirs)}, "foreign_repository"},
        {Content::kDamaged, &kBoth, {full}, "corrupt_object"},
        {Content::kForeign, &kBoth, {full}, "already_exists"},
        {Content::kInterrupted, &kNothing, {}, "not_found"},
        {Content::kInterrupted, &kInitializeOnly, {empty}, "not_found"},
        {Content::kInterrupted, &kBoth, {empty}, "not_found"},
        {Content::kInterrupted, &kRestoreOnly, {full}, "restore"},
        {Content::kMissing, &kNothing, {full}, "not_found"},
        {Content::kMissing, &kRestoreOnly, {}, "configuration"},
        {Content::kMissing, &kBoth, {}, "configuration"},
        {Content::kMissing, &kRestoreOnly, {full}, "restore"},
        {Content::kMissing, &kRestoreOnly, {unreachable, full}, "restore"},
        {Content::kMissing, &kRestoreOnly, {empty, full}, "restore"},
        {Content::kMissing, &kRestoreOnly, {empty}, "not_found"},
        {Content::kMissing, &kRestoreOnly, {empty, unreachable}, "network"},
        {Content::kMissing, &kRestoreOnly, {known, unreachable}, "network"},
        {Content::kMissing, &kInitializeOnly, {}, "initialize"},
        {Content::kMissing, &kInitializeOnly, {unreachable}, "initialize"},
        {Content::kMissing, &kInitializeOnly, {empty}, "initialize"},
        {Content::kMissing, &kInitializeOnly, {full}, "already_exists"},
        {Content::kMissing, &kInitializeOnly, {known}, "already_exists"},
        {Content::kMissing, &kBoth, {full}, "restore"},
        {Content::kMissing, &kBoth, {empty}, "initialize"},
        {Content::kMissing, &kBoth, {empty, empty}, "initialize"},
        {Content::kMissing, &kBoth, {empty, unreachable}, "network"},
        {Content::kMissing, &kBoth, {empty, known}, "not_found"},
        {Content::kEmpty, &kBoth, {unreachable}, "network"},
    };
    int number = 0;
    for (const Row& row : rows)
        EXPECT_EQ(outcome(*row.request, evidence_of(row.content), row.repositories), row.expected) << "row " << number++ << ", " << to_string(row.content);
}

TEST(PlanSeed, RefusesAnotherClusterThanTheExpected) {
    SeedRequest request = kBoth;
    request.expected_identifier = kTheirs;
    EXPECT_EQ(outcome(request, evidence_of(Content::kCluster), {}), "foreign_repository");
    EXPECT_EQ(outcome(request, evidence_of(Content::kMissing), {repository_of(State::kWithBackups)}), "foreign_repository");
    EXPECT_EQ(outcome(request, evidence_of(Content::kMissing), {repository_of(State::kWithBackups), repository_of(State::kUnreachable)}), "network");
    EXPECT_EQ(outcome(request, evidence_of(Content::kMissing), {repository_of(State::kEmpty)}), "not_found") << "a new one is another one";
    const SeedDecision decision =
        decide_seed(request, evidence_of(Content::kMissing), std::vector{repository_of(State::kWithBackups), repository_of(State::kWithBackups, kTheirs)});
    EXPECT_EQ(decision.action, SeedAction::kRestore);
    EXPECT_EQ(decision.repositories, std::vector<size_t>{1}) << "only the one that has it serves";
}

TEST(PlanSeed, RestoresFromEveryRepositoryOfTheFirstClusterFound) {
    const std::vector repositories = {repository_of(State::kUnreachable), repository_of(State::kWithBackups), repository_of(State::kWithBackups, kTheirs),
                                      repository_of(State::kWithoutBackup)};
    const SeedDecision decision = decide_seed(kRestoreOnly, evidence_of(Content::kMissing), repositories);
    EXPECT_EQ(decision.repositories, (std::vector<size_t>{1, 3}));
    EXPECT_EQ(decision.system_identifier, kOurs);
    EXPECT_EQ(decision.notes.size(), 2U) << "one cannot be reached, one is another cluster's";
}

TEST(PlanSeed, ChoosesWhereARestoreIsMade) {
    const std::vector repositories = {repository_of(State::kWithBackups)};
    SeedEvidence evidence = evidence_of(Content::kEmpty);
    EXPECT_EQ(decide_seed(kRestoreOnly, evidence, repositories).workplace, "/srv/pg/data.preseed-restore");
    EXPECT_FALSE(decide_seed(kRestoreOnly, evidence, repositories).resume);
    evidence.restore_leftover = true;
    EXPECT_TRUE(decide_seed(kRestoreOnly, evidence, repositories).resume);
    evidence = evidence_of(Content::kEmpty);
    evidence.in_place = true;
    EXPECT_EQ(decide_seed(kRestoreOnly, evidence, repositories).workplace, "/srv/pg/data");
    EXPECT_EQ(decide_seed(kRestoreOnly, evidence_of(Content::kInterrupted), repositories).workplace, "/srv/pg/data") << "where the mark is";
    EXPECT_EQ(outcome(kInitializeOnly, evidence, {}), "invalid_argument") << "a mount point cannot be replaced";
}

TEST(PlanSeed, NamesWhatIsInTheWay) {
    SeedEvidence evidence = evidence_of(Content::kForeign);
    EXPECT_NE(decide_seed(kBoth, evidence, {}).refusal->detail().find("\"photos\""), std::string::npos);
    evidence.unmounted = {{"/srv/pg", "\"/srv/pg\" is no mount point."}};
    const SeedDecision decision = decide_seed(kBoth, evidence, {});
    EXPECT_EQ(decision.refusal->code(), ErrorCode::wrong_state) << "the volume comes first";
    EXPECT_EQ(decision.refusal->object(), "/srv/pg");
}

/// Calls `check` with every combination of evidence, request and up to two repositories.
void for_every_combination(auto&& check) {
    std::vector<std::vector<RepositoryEvidence>> lists = {{}};
    std::vector<RepositoryEvidence> kinds;
    for (const State state : {State::kUnreachable, State::kEmpty, State::kWithoutBackup, State::kWithBackups})
        for (const uint64_t identifier : {kOurs, kTheirs}) kinds.push_back(repository_of(state, identifier));
    for (const auto& first : kinds) {
        lists.push_back({first});
        for (const auto& second : kinds) lists.push_back({first, second});
    }
    for (const Content content : {Content::kMissing, Content::kEmpty, Content::kInterrupted, Content::kCluster, Content::kDamaged, Content::kForeign})
        for (unsigned bits = 0; bits < 64; ++bits)
            for (const auto& repositories : lists) {
                SeedEvidence evidence = evidence_of(content);
                evidence.in_place = bits & 1;
                evidence.restore_leftover = bits & 2;
                if (bits & 4) evidence.unmounted = {{"/srv", "It is not there."}};
                SeedRequest request{(bits & 8) != 0, (bits & 16) != 0, {}};
                if (bits & 32) request.expected_identifier = kOurs;
                check(request, evidence, repositories, decide_seed(request, evidence, repositories));
            }
}

TEST(PlanSeed, AnUpgradedClusterMayStartBeforeTheRepositoryKnowsIt) {
    SeedEvidence evidence = evidence_of(Content::kCluster);
    const std::vector<RepositoryEvidence> before = {repository_of(State::kWithBackups, kTheirs)};
    EXPECT_EQ(outcome(kNothing, evidence, before), "foreign_repository");
    evidence.cluster->predecessors = {kTheirs};
    const SeedDecision decision = decide_seed(kNothing, evidence, before);
    EXPECT_EQ(decision.action, SeedAction::kPresent);
    ASSERT_EQ(decision.notes.size(), 1u);
    EXPECT_EQ(decision.notes[0], "Repository \"file:///repository\" knows it as 7000000000000000002, as which it was upgraded; the server goes on there under its own.");
}

TEST(PlanSeed, AnUpgradedClusterIsTheOneThatWasExpectedBefore) {
    SeedEvidence evidence = evidence_of(Content::kCluster);
    EXPECT_EQ(outcome({false, false, kTheirs}, evidence, {}), "foreign_repository");
    evidence.cluster->predecessors = {kTheirs};
    const SeedDecision decision = decide_seed({false, false, kTheirs}, evidence, {});
    EXPECT_EQ(decision.action, SeedAction::kPresent);
    EXPECT_EQ(decision.system_identifier, kOurs);
    ASSERT_EQ(decision.notes.size(), 1u);
    EXPECT_EQ(decision.notes[0], "Cluster 7000000000000000002 was expected, and has been upgraded. Expect 7000000000000000001 from now on.");
    EXPECT_EQ(outcome({false, false, 42}, evidence, {}), "foreign_repository");
}

TEST(PlanSeed, ARefusalNamesWhoHadTheNameBefore) {
    const std::string hint = "Cluster 7000000000000000002 had the name before and has backups in \"file:///repository\": "
                             "\"pg_steward restore --system-identifier 7000000000000000002\" brings it back.";
    RepositoryEvidence repository = repository_of(State::kWithoutBackup);
    repository.former = {kTheirs};
    for (const SeedRequest& request : {kRestoreOnly, kBoth}) {
        const SeedDecision decision = decide_seed(request, evidence_of(Content::kMissing), {&repository, 1});
        ASSERT_TRUE(decision.refusal);
        EXPECT_EQ(decision.refusal->code(), ErrorCode::not_found);
        EXPECT_EQ(decision.refusal->hint(), hint);
    }
    const SeedDecision expected = decide_seed({true, false, kTheirs}, evidence_of(Content::kMissing), {&repository, 1});
    ASSERT_TRUE(expected.refusal);
    EXPECT_EQ(expected.refusal->code(), ErrorCode::foreign_repository);
    EXPECT_EQ(expected.refusal->hint(), "Nothing was touched. " + hint);
    EXPECT_EQ(decide_seed({true, false, 42}, evidence_of(Content::kMissing), {&repository, 1}).refusal->hint().find("pg_steward restore"), std::string::npos);
}

TEST(PlanSeed, NeverMakesAnEmptyClusterWhereDataMayBe) {
    size_t made = 0;
    for_every_combination([&](const SeedRequest& request, const SeedEvidence& evidence, const std::vector<RepositoryEvidence>& repositories,
                              const SeedDecision& decision) {
        if (decision.action != SeedAction::kInitialize) return;
        ++made;
        EXPECT_TRUE(request.initialize);
        EXPECT_FALSE(request.expected_identifier);
        EXPECT_TRUE(evidence.content == Content::kMissing || evidence.content == Content::kEmpty);
        EXPECT_TRUE(evidence.unmounted.empty());
        EXPECT_FALSE(evidence.restore_leftover);
        EXPECT_FALSE(request.restore && repositories.empty());
        for (const RepositoryEvidence& repository : repositories)
            EXPECT_TRUE(repository.state == State::kEmpty || (!request.restore && repository.state == State::kUnreachable));
    });
    EXPECT_GT(made, 0U);
}

TEST(PlanSeed, TouchesNothingThatIsNoEmptyPlaceOrRestoreOfOurs) {
    for_every_combination([](const SeedRequest& request, const SeedEvidence& evidence, const std::vector<RepositoryEvidence>& repositories,
                             const SeedDecision& decision) {
        EXPECT_EQ(decision.refusal.has_value(), decision.action == SeedAction::kRefuse);
        EXPECT_FALSE(decision.reason.empty());
        EXPECT_FALSE(decision.refusal && decision.refusal->hint().empty()) << "every refusal says what to do";
        EXPECT_FALSE(decision.action == SeedAction::kPresent && evidence.content != Content::kCluster);
        if (decision.action != SeedAction::kRestore) return;
        EXPECT_TRUE(request.restore);
        EXPECT_TRUE(evidence.unmounted.empty());
        EXPECT_TRUE(evidence.content == Content::kMissing || evidence.content == Content::kEmpty || evidence.content == Content::kInterrupted);
        ASSERT_FALSE(decision.repositories.empty());
        for (const size_t i : decision.repositories) {
            EXPECT_EQ(repositories[i].system_identifier, decision.system_identifier);
            EXPECT_FALSE(request.expected_identifier && repositories[i].system_identifier != request.expected_identifier);
        }
    });
}

/// An upgrade from 15 to 17 of what was cluster kTheirs.
SeedEvidence with_upgrade(Content content, UpgradeState state, int major) {
    SeedEvidence evidence = evidence_of(content);
    SeenUpgrade& upgrade = evidence.upgrade.emplace();
    upgrade.data_directory = evidence.directory;
    upgrade.work_directory = "/srv/pg/data.upgrade";
    upgrade.request.from = 15;
    upgrade.request.path = {17};
    upgrade.request.system_identifier = kTheirs;
    upgrade.state = state;
    upgrade.major = major;
    return evidence;
}

TEST(PlanSeed, MakesNothingWhileAnUpgradeMayHoldTheOnlyCopy) {
    const std::vector<RepositoryEvidence> full = {repository_of(State::kWithBackups)}, none = {repository_of(State::kEmpty)};
    for (const UpgradeState state : {UpgradeState::kUnderWay, UpgradeState::kMustRollBack, UpgradeState::kRollingBack, UpgradeState::kUpgraded, UpgradeState::kCommitting}) {
        for (const Content content : {Content::kMissing, Content::kEmpty, Content::kDamaged, Content::kForeign}) {
            const SeedEvidence evidence = with_upgrade(content, state, 0);
            EXPECT_FALSE(needs_repositories(evidence, kBoth));
            EXPECT_EQ(outcome(kBoth, evidence, full), "wrong_state") << name_of(state) << to_string(content);
            EXPECT_EQ(outcome(kInitializeOnly, evidence, none), "wrong_state") << name_of(state) << to_string(content);
        }
    }
    SeedEvidence at_work = with_upgrade(Content::kMissing, UpgradeState::kRolledBack, 0);
    at_work.upgrade->at_work = true;
    EXPECT_EQ(outcome(kBoth, at_work, full), "busy");
}

TEST(PlanSeed, RefusesAClusterThatAnUpgradeHasNotDoneWith) {
    EXPECT_EQ(outcome(kNothing, with_upgrade(Content::kCluster, UpgradeState::kUnderWay, 15), {}), "wrong_state");
    EXPECT_EQ(outcome(kNothing, with_upgrade(Content::kCluster, UpgradeState::kUnderWay, 17), {}), "wrong_state");
    EXPECT_EQ(outcome(kNothing, with_upgrade(Content::kCluster, UpgradeState::kUpgraded, 15), {}), "wrong_state");
    EXPECT_EQ(outcome(kNothing, with_upgrade(Content::kCluster, UpgradeState::kUpgraded, 17), {}), "present");
    EXPECT_EQ(outcome(kNothing, with_upgrade(Content::kCluster, UpgradeState::kCommitting, 17), {}), "present");
    EXPECT_EQ(outcome(kNothing, with_upgrade(Content::kCluster, UpgradeState::kRolledBack, 15), {}), "present");
    SeedEvidence committing = with_upgrade(Content::kCluster, UpgradeState::kCommitting, 17);
    committing.upgrade->at_work = true;
    EXPECT_EQ(outcome(kNothing, committing, {}), "present");
}

TEST(PlanSeed, BringsBackButDoesNotReplaceWhatWasRolledBackAndIsGone) {
    const SeedEvidence gone = with_upgrade(Content::kMissing, UpgradeState::kRolledBack, 0);
    EXPECT_EQ(outcome(kRestoreOnly, gone, {repository_of(State::kWithBackups)}), "restore");
    EXPECT_EQ(outcome(kInitializeOnly, gone, {repository_of(State::kEmpty)}), "not_found");
}

TEST(PlanSeed, KnowsAnUpgradedClusterByItsEarlierIdentifier) {
    SeedRequest expecting;
    expecting.expected_identifier = kTheirs;
    const SeedEvidence upgraded = with_upgrade(Content::kCluster, UpgradeState::kUpgraded, 17);
    EXPECT_EQ(outcome(expecting, upgraded, {repository_of(State::kWithBackups, kTheirs)}), "present");
    EXPECT_NE(decide_seed(expecting, upgraded, {}).notes.back().find("Expect 7000000000000000001 from now on."), std::string::npos);
    expecting.expected_identifier = kOurs + 5;
    EXPECT_EQ(outcome(expecting, upgraded, {}), "foreign_repository");
    expecting.expected_identifier = kTheirs;
    EXPECT_EQ(outcome(expecting, with_upgrade(Content::kCluster, UpgradeState::kRolledBack, 15), {}), "foreign_repository");
}

}  // namespace
}  // namespace steward
