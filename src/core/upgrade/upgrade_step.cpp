#include "core/upgrade/upgrade_step.h"

#include <algorithm>
#include <array>

#include "core/base/format.h"

namespace steward {

namespace {

struct StepText {
    UpgradeStep step;
    std::string_view name, description;
};

constexpr std::array kTexts = {
    StepText{UpgradeStep::kClear, "clear", "remove what an earlier attempt left"},
    StepText{UpgradeStep::kFingerprint, "fingerprint", "write down what the old cluster holds"},
    StepText{UpgradeStep::kPreserve, "preserve", "copy the old cluster, and compare the copy"},
    StepText{UpgradeStep::kCheck, "check", "look for what is in the way of this hop"},
    StepText{UpgradeStep::kInitialize, "initialize", "make the new cluster with initdb"},
    StepText{UpgradeStep::kConfigure, "configure", "carry the configuration over"},
    StepText{UpgradeStep::kTransfer, "transfer", "carry the data over"},
    StepText{UpgradeStep::kExtensions, "extensions", "update extensions"},
    StepText{UpgradeStep::kCollations, "collations", "index anew what a changed collation touches"},
    StepText{UpgradeStep::kStatistics, "statistics", "analyze what has no statistics"},
    StepText{UpgradeStep::kCompare, "compare", "compare what the new cluster holds"},
    StepText{UpgradeStep::kExchange, "exchange", "give the new cluster the data directory's path"},
    StepText{UpgradeStep::kBringBack, "bring_back", "give the old cluster the data directory's path"},
    StepText{UpgradeStep::kRemoveMade, "remove_made", "remove what was made for the upgrade"},
    StepText{UpgradeStep::kRemoveOld, "remove_old", "remove the old cluster and the work directory"},
};

const StepText& text_of(UpgradeStep step) { return *std::ranges::find(kTexts, step, &StepText::step); }

}  // namespace

std::string_view name_of(UpgradeStep step) { return text_of(step).name; }

std::string_view describe(UpgradeStep step) { return text_of(step).description; }

std::optional<UpgradeStep> parse_upgrade_step(std::string_view name) {
    const auto* const found = std::ranges::find(kTexts, name, &StepText::name);
    return found == kTexts.end() ? std::nullopt : std::optional(found->step);
}

std::vector<StepOfHop> steps_of(const UpgradeRequest& request) {
    std::vector<StepOfHop> steps = {{1, UpgradeStep::kClear}, {1, UpgradeStep::kFingerprint}};
    if (request.needs_preserving()) steps.push_back({1, UpgradeStep::kPreserve});
    const int hops = static_cast<int>(request.path.size());
    for (int hop = 1; hop <= hops; ++hop) {
        // The first one was checked before there was anything to write a journal into.
        if (hop > 1) steps.push_back({hop, UpgradeStep::kCheck});
        for (const UpgradeStep step : {UpgradeStep::kInitialize, UpgradeStep::kConfigure, UpgradeStep::kTransfer, UpgradeStep::kExtensions}) steps.push_back({hop, step});
    }
    steps.push_back({hops, UpgradeStep::kCollations});
    if (request.statistics) steps.push_back({hops, UpgradeStep::kStatistics});
    steps.push_back({hops, UpgradeStep::kCompare});
    steps.push_back({hops, UpgradeStep::kExchange});
    return steps;
}

std::string name_in_run(const StepOfHop& step, const UpgradeRequest& request) {
    return request.path.size() > 1 && step.hop > 0 ? formatted("hop {}: {}", step.hop, name_of(step.step)) : std::string(name_of(step.step));
}

}  // namespace steward
