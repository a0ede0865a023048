#include "core/upgrade/plan_upgrade.h"

#include <algorithm>

#include "core/base/format.h"

namespace steward {

namespace {

std::string fact(const JournalEntry& entry, std::string_view name) {
    const auto found = entry.facts.find(std::string(name));
    return found == entry.facts.end() ? std::string() : found->second;
}

/// What the lines after the beginning come to.
struct Reached {
    std::optional<StepOfHop> last;
    bool done = false;            ///< with `last`
    std::string mark;             ///< of the old cluster, when it last was as a finished step left it; empty: it may be of any mark
    std::string new_mark;         ///< of the new cluster at the exchange
    bool rolling_back = false;
    bool committing = false;
    std::optional<JournalEntry> failure;
};

Reached read_run(std::span<const JournalEntry> entries) {
    Reached reached;
    for (const JournalEntry& entry : entries) {
        const UpgradeStep step = entry.step.step;
        reached.failure.reset();
        if (entry.event == JournalEvent::kFailed) {
            reached.failure = entry;
            continue;
        }
        reached.last = entry.step;
        reached.done = entry.event == JournalEvent::kDone;
        reached.rolling_back = step == UpgradeStep::kBringBack || step == UpgradeStep::kRemoveMade;
        reached.committing = step == UpgradeStep::kRemoveOld;
        // These change it themselves, or bring it back.
        if (!reached.done && (step == UpgradeStep::kClear || step == UpgradeStep::kFingerprint)) reached.mark.clear();
        if (reached.done && entry.facts.contains(std::string(kFactMark))) reached.mark = fact(entry, kFactMark);
        if (step == UpgradeStep::kExchange && entry.facts.contains(std::string(kFactNewMark))) reached.new_mark = fact(entry, kFactNewMark);
    }
    return reached;
}

/// The comparison came to its end. One that a full disk or a crash of the server ended has found nothing.
bool has_found_difference(const JournalEntry& failure) { return fact(failure, kFactCode) == info(ErrorCode::wrong_state).name; }

bool is(const Reached& reached, UpgradeStep step) { return reached.last && reached.last->step == step; }

UpgradeStanding under_way(StepOfHop next, std::string reason = {}) { return {UpgradeState::kUnderWay, next, std::move(reason), {}, false}; }

UpgradeStanding from_the_beginning(std::string reason) { return under_way({1, UpgradeStep::kClear}, std::move(reason)); }

UpgradeStanding must_roll_back(std::string reason) { return {UpgradeState::kMustRollBack, {}, std::move(reason), {}, false}; }

/// Judge a run whose exchange has been begun.
UpgradeStanding judge_exchange(const UpgradeRequest& request, const Reached& reached, const SeenCluster& seen) {
    const bool used_since = seen.major == request.target() && !reached.new_mark.empty() && seen.mark != reached.new_mark;
    if (reached.done) return {UpgradeState::kUpgraded, {}, {}, {}, used_since};
    if (seen.major == request.target() || seen.major == 0)
        return {UpgradeState::kUnderWay, *reached.last, "The exchange of the directories is to be finished.", {}, used_since};
    if (seen.mark != reached.mark) return from_the_beginning("The old cluster has been used since it was carried over.");
    return under_way(*reached.last);
}

UpgradeStanding judge_making(const UpgradeRequest& request, const Reached& reached, const SeenCluster& seen) {
    if (!reached.last) return under_way(steps_of(request).front());
    // In the middle of it the old cluster may be anywhere.
    if (is(reached, UpgradeStep::kClear) && !reached.done) return under_way(*reached.last);
    if (seen.major != request.from) return must_roll_back(formatted("The data directory does not hold the cluster of PostgreSQL {} any more.", request.from));
    if (seen.system_identifier != 0 && seen.system_identifier != request.system_identifier)
        return must_roll_back("The data directory holds another cluster than the one that the upgrade was begun with.");
    if (is(reached, UpgradeStep::kTransfer) && !reached.done) return from_the_beginning("The data were not carried over completely.");
    if (seen.disabled && !request.needs_preserving()) return must_roll_back("The old cluster has been put out of use by another program.");
    if (!reached.mark.empty() && seen.mark != reached.mark) return from_the_beginning("The old cluster has been used since it was looked at.");
    if (is(reached, UpgradeStep::kCompare) && !reached.done && reached.failure && has_found_difference(*reached.failure))
        return must_roll_back("The new cluster does not hold what the old one held.");
    if (!reached.done) return under_way(*reached.last);
    const std::vector<StepOfHop> steps = steps_of(request);
    const auto at = std::ranges::find(steps, *reached.last);
    if (at == steps.end() || at + 1 == steps.end()) return must_roll_back("The journal names a step that this upgrade does not have.");
    return under_way(*(at + 1));
}

UpgradeStanding judge(const UpgradeRequest& request, const Reached& reached, const SeenCluster& seen) {
    if (reached.committing) return {UpgradeState::kCommitting, {}, {}, {}, false};
    if (reached.rolling_back) {
        const bool rolled_back = reached.done && is(reached, UpgradeStep::kRemoveMade);
        return {rolled_back ? UpgradeState::kRolledBack : UpgradeState::kRollingBack, {}, {}, {}, false};
    }
    return is(reached, UpgradeStep::kExchange) ? judge_exchange(request, reached, seen) : judge_making(request, reached, seen);
}

}  // namespace

std::string_view name_of(UpgradeState state) {
    switch (state) {
        case UpgradeState::kNotBegun: return "not begun";
        case UpgradeState::kUnderWay: return "can be resumed";
        case UpgradeState::kMustRollBack: return "must be rolled back";
        case UpgradeState::kUpgraded: return "upgraded, not committed";
        case UpgradeState::kRollingBack: return "rollback to be finished";
        case UpgradeState::kRolledBack: return "rolled back";
        case UpgradeState::kCommitting: return "commit to be finished";
    }
    return "";
}

UpgradeStanding judge_upgrade(std::span<const JournalEntry> run, const SeenCluster& data_directory) {
    if (run.empty() || !run.front().request) return {};
    const Reached reached = read_run(run.subspan(1));
    UpgradeStanding standing = judge(*run.front().request, reached, data_directory);
    standing.failure = reached.failure;
    return standing;
}

}  // namespace steward
