#include "core/upgrade/finding.h"

#include <algorithm>
#include <functional>

namespace steward {

std::string_view name_of(FindingWeight weight) {
    switch (weight) {
        case FindingWeight::kNote: return "note";
        case FindingWeight::kWarning: return "warning";
        case FindingWeight::kObstacle: return "obstacle";
    }
    return "";
}

void sort_by_weight(std::vector<UpgradeFinding>& findings) { std::ranges::stable_sort(findings, std::greater<>(), &UpgradeFinding::weight); }

}  // namespace steward
