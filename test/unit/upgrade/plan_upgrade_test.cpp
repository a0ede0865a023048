#include "core/upgrade/plan_upgrade.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace steward {
namespace {

constexpr uint64_t kIdentifier = 4711;
const std::string kOldMark = "0/100 shut down";
const std::string kNewMark = "0/900 shut down";

UpgradeRequest request_by(TransferMethod method, std::vector<int> path = {18}) {
    UpgradeRequest request;
    request.data_directory = "/data/main";
    request.from = 13;
    request.path = std::move(path);
    request.method = method;
    request.bindirs.assign(request.path.size() + 1, "/bin");
    request.system_identifier = kIdentifier;
    return request;
}

SeenCluster old_cluster() { return {13, false, kIdentifier, kOldMark}; }
SeenCluster disabled_cluster() { return {13, true, 0, "disabled"}; }
SeenCluster new_cluster() { return {18, false, 5, kNewMark}; }

JournalEntry line(JournalEvent event, StepOfHop step) {
    JournalEntry entry{event, {}, {}, step, {}};
    return entry;
}

/// A whole run as it is written, and what is in the data directory after each line.
struct WholeRun {
    explicit WholeRun(const UpgradeRequest& request) {
        entries.push_back({JournalEvent::kBegin, {}, request, {}, {}});
        seen.push_back(old_cluster());
        SeenCluster now = old_cluster();
        for (const StepOfHop& step : steps_of(request)) {
            entries.push_back(line(JournalEvent::kStep, step));
            if (step.step == UpgradeStep::kExchange) entries.back().facts["new_mark"] = kNewMark;
            seen.push_back(now);
            if (step.step == UpgradeStep::kTransfer && step.hop == 1 && request.needs_preserving()) now = disabled_cluster();
            if (step.step == UpgradeStep::kExchange) now = new_cluster();
            entries.push_back(line(JournalEvent::kDone, step));
            const bool marks = step.step == UpgradeStep::kFingerprint || step.step == UpgradeStep::kPreserve || (step.step == UpgradeStep::kTransfer && step.hop == 1);
            if (marks) entries.back().facts["mark"] = now.mark;
            seen.push_back(now);
        }
    }

    std::vector<JournalEntry> entries;
    std::vector<SeenCluster> seen;
};

constexpr TransferMethod kMethods[] = {TransferMethod::kCopy, TransferMethod::kClone, TransferMethod::kCopyFileRange,
                                       TransferMethod::kLink, TransferMethod::kSwap,  TransferMethod::kDump};

TEST(UpgradePlan, HasNotBegunWithoutAJournal) { EXPECT_EQ(judge_upgrade({}, old_cluster()).state, UpgradeState::kNotBegun); }

TEST(UpgradePlan, NamesTheNextStepAfterEveryLineOfEveryJournal) {
    for (const TransferMethod method : kMethods) {
        for (const std::vector<int>& path : {std::vector<int>{18}, std::vector<int>{15, 17, 18}}) {
            const UpgradeRequest request = request_by(method, path);
            const WholeRun run(request);
            const std::vector<StepOfHop> steps = steps_of(request);
            for (size_t lines = 1; lines < run.entries.size(); ++lines) {
                const UpgradeStanding standing = judge_upgrade(std::span(run.entries).first(lines), run.seen[lines - 1]);
                ASSERT_EQ(standing.state, UpgradeState::kUnderWay) << name_of(method) << " " << lines << ": " << standing.reason;
                const JournalEntry& last = run.entries[lines - 1];
                const size_t announced = (lines - 1) / 2;  // of the steps, with the last line
                if (last.event == JournalEvent::kStep) {
                    // A torn transfer is made again from the beginning, all else is done again.
                    EXPECT_EQ(*standing.next, last.step.step == UpgradeStep::kTransfer ? steps.front() : last.step);
                } else {
                    EXPECT_EQ(*standing.next, steps[announced]);
                }
            }
            EXPECT_EQ(judge_upgrade(run.entries, run.seen.back()).state, UpgradeState::kUpgraded);
        }
    }
}

TEST(UpgradePlan, TransfersNothingThatIsNotPreservedAndExchangesNothingThatIsNotCompared) {
    for (const TransferMethod method : kMethods) {
        const std::vector<StepOfHop> steps = steps_of(request_by(method, {15, 18}));
        const auto at = [&](int hop, UpgradeStep step) { return std::ranges::find(steps, StepOfHop{hop, step}) - steps.begin(); };
        const auto none = static_cast<ptrdiff_t>(steps.size());
        EXPECT_EQ(steps.back(), (StepOfHop{2, UpgradeStep::kExchange}));
        EXPECT_LT(at(2, UpgradeStep::kCompare), at(2, UpgradeStep::kExchange));
        EXPECT_LT(at(1, UpgradeStep::kFingerprint), at(1, UpgradeStep::kTransfer));
        EXPECT_LT(at(1, UpgradeStep::kClear), at(1, UpgradeStep::kFingerprint));
        const bool is_lost = method == TransferMethod::kLink || method == TransferMethod::kSwap;
        EXPECT_EQ(at(1, UpgradeStep::kPreserve) < none, is_lost);
        if (is_lost) {
            EXPECT_LT(at(1, UpgradeStep::kPreserve), at(1, UpgradeStep::kTransfer));
        }
    }
}

TEST(UpgradePlan, BeginsAnewWhenTheOldClusterWasUsedMeanwhile) {
    for (const TransferMethod method : kMethods) {
        const UpgradeRequest request = request_by(method);
        const WholeRun run(request);
        for (size_t lines = 1; lines < run.entries.size(); ++lines) {
            if (run.seen[lines - 1].disabled) continue;  // no server runs on it
            SeenCluster used = run.seen[lines - 1];
            used.mark = "0/200 shut down";
            const UpgradeStanding standing = judge_upgrade(std::span(run.entries).first(lines), used);
            ASSERT_EQ(standing.state, UpgradeState::kUnderWay);
            const auto is_before = [&](UpgradeStep step) {
                const auto end = run.entries.begin() + static_cast<ptrdiff_t>(lines);
                return std::none_of(run.entries.begin() + 1, end, [&](const JournalEntry& entry) { return entry.event == JournalEvent::kDone && entry.step.step == step; });
            };
            if (is_before(UpgradeStep::kFingerprint)) continue;
            EXPECT_EQ(*standing.next, (StepOfHop{1, UpgradeStep::kClear})) << name_of(method) << " " << lines;
        }
    }
}

TEST(UpgradePlan, ClearsAgainWhateverTheClearingLeftInTheDataDirectory) {
    const UpgradeRequest request = request_by(TransferMethod::kSwap);
    const WholeRun run(request);
    std::vector<JournalEntry> entries(run.entries.begin(), run.entries.begin() + 8);  // up to the beginning of initialize
    entries.push_back(line(JournalEvent::kStep, {1, UpgradeStep::kTransfer}));
    entries.push_back(line(JournalEvent::kStep, {1, UpgradeStep::kClear}));
    for (const SeenCluster& seen : {old_cluster(), disabled_cluster(), SeenCluster{}}) {
        const UpgradeStanding standing = judge_upgrade(entries, seen);
        ASSERT_EQ(standing.state, UpgradeState::kUnderWay);
        EXPECT_EQ(*standing.next, (StepOfHop{1, UpgradeStep::kClear}));
    }
}

TEST(UpgradePlan, FinishesAnExchangeThatHappened) {
    const WholeRun run(request_by(TransferMethod::kCopy));
    const std::span<const JournalEntry> torn = std::span(run.entries).first(run.entries.size() - 1);
    for (const SeenCluster& seen : {new_cluster(), SeenCluster{}, old_cluster()}) {
        const UpgradeStanding standing = judge_upgrade(torn, seen);
        ASSERT_EQ(standing.state, UpgradeState::kUnderWay);
        EXPECT_EQ(*standing.next, (StepOfHop{1, UpgradeStep::kExchange}));
        EXPECT_FALSE(standing.used_since);
    }
}

TEST(UpgradePlan, TellsWhetherTheNewClusterWasUsed) {
    const WholeRun run(request_by(TransferMethod::kCopy));
    EXPECT_FALSE(judge_upgrade(run.entries, new_cluster()).used_since);
    SeenCluster used = new_cluster();
    used.mark = "0/A00 in production";
    EXPECT_TRUE(judge_upgrade(run.entries, used).used_since);
    EXPECT_TRUE(judge_upgrade(std::span(run.entries).first(run.entries.size() - 1), used).used_since);
}

TEST(UpgradePlan, MustBeRolledBackAfterADifference) {
    const UpgradeRequest request = request_by(TransferMethod::kLink);
    const WholeRun run(request);
    std::vector<JournalEntry> entries(run.entries.begin(), run.entries.end() - 3);  // up to the beginning of compare
    ASSERT_EQ(entries.back().step.step, UpgradeStep::kCompare);
    entries.push_back(line(JournalEvent::kFailed, {1, UpgradeStep::kCompare}));
    entries.back().facts[std::string(kFactCode)] = "wrong_state";
    const UpgradeStanding standing = judge_upgrade(entries, disabled_cluster());
    EXPECT_EQ(standing.state, UpgradeState::kMustRollBack);
    ASSERT_TRUE(standing.failure);
    EXPECT_EQ(standing.failure->step.step, UpgradeStep::kCompare);
}

TEST(UpgradePlan, ComparesAgainWhenTheComparisonCameToNoEnd) {
    const WholeRun run(request_by(TransferMethod::kLink));
    std::vector<JournalEntry> entries(run.entries.begin(), run.entries.end() - 3);  // up to the beginning of compare
    entries.push_back(line(JournalEvent::kFailed, {1, UpgradeStep::kCompare}));
    entries.back().facts[std::string(kFactCode)] = "no_space";
    const UpgradeStanding standing = judge_upgrade(entries, disabled_cluster());
    EXPECT_EQ(standing.state, UpgradeState::kUnderWay);
    EXPECT_EQ(*standing.next, (StepOfHop{1, UpgradeStep::kCompare}));
}

TEST(UpgradePlan, ResumesAfterOtherFailures) {
    const UpgradeRequest request = request_by(TransferMethod::kCopy);
    std::vector<JournalEntry> entries = {{JournalEvent::kBegin, {}, request, {}, {}}, line(JournalEvent::kStep, {1, UpgradeStep::kFingerprint}),
                                         line(JournalEvent::kFailed, {1, UpgradeStep::kFingerprint})};
    const UpgradeStanding standing = judge_upgrade(entries, old_cluster());
    EXPECT_EQ(standing.state, UpgradeState::kUnderWay);
    EXPECT_EQ(*standing.next, (StepOfHop{1, UpgradeStep::kFingerprint}));
    ASSERT_TRUE(standing.failure);
}

TEST(UpgradePlan, MustBeRolledBackWhenTheDataDirectoryHoldsSomethingElse) {
    const WholeRun run(request_by(TransferMethod::kCopy));
    const std::span<const JournalEntry> begun = std::span(run.entries).first(6);
    for (const SeenCluster& seen : {SeenCluster{}, SeenCluster{15, false, kIdentifier, kOldMark}, SeenCluster{13, false, 99, kOldMark}, disabled_cluster()}) {
        const UpgradeStanding standing = judge_upgrade(begun, seen);
        EXPECT_EQ(standing.state, UpgradeState::kMustRollBack);
        EXPECT_FALSE(standing.reason.empty());
    }
}

TEST(UpgradePlan, FollowsARollbackAndACommitToTheirEnd) {
    const WholeRun run(request_by(TransferMethod::kCopy));
    std::vector<JournalEntry> entries = run.entries;
    const auto state = [&](UpgradeStep step, JournalEvent event) {
        entries.push_back(line(event, {0, step}));
        return judge_upgrade(entries, new_cluster()).state;
    };
    EXPECT_EQ(state(UpgradeStep::kBringBack, JournalEvent::kStep), UpgradeState::kRollingBack);
    EXPECT_EQ(state(UpgradeStep::kBringBack, JournalEvent::kDone), UpgradeState::kRollingBack);
    EXPECT_EQ(state(UpgradeStep::kRemoveMade, JournalEvent::kStep), UpgradeState::kRollingBack);
    EXPECT_EQ(state(UpgradeStep::kRemoveMade, JournalEvent::kDone), UpgradeState::kRolledBack);
    entries = run.entries;
    EXPECT_EQ(state(UpgradeStep::kRemoveOld, JournalEvent::kStep), UpgradeState::kCommitting);
}

TEST(UpgradePlan, TakesLaterHopsByLinkSinceTheClusterBetweenIsOurs) {
    EXPECT_EQ(request_by(TransferMethod::kCopy, {15, 18}).method_of_hop(1), TransferMethod::kCopy);
    EXPECT_EQ(request_by(TransferMethod::kCopy, {15, 18}).method_of_hop(2), TransferMethod::kLink);
    EXPECT_EQ(request_by(TransferMethod::kDump, {15, 18}).method_of_hop(2), TransferMethod::kDump);
}

}  // namespace
}  // namespace steward
