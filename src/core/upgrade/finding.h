// What is found about a cluster that is to be upgraded.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace steward {

enum class FindingWeight {
    kNote,      ///< worth knowing; nothing to do before the upgrade
    kWarning,   ///< the upgrade succeeds, and something is lost or changed by it
    kObstacle,  ///< the upgrade fails
};

/// "note", "warning", "obstacle".
std::string_view name_of(FindingWeight weight);

/// One cause, with everything it concerns.
struct UpgradeFinding {
    std::string check;  ///< a name that stays the same, for scripts: "prepared_transactions"
    FindingWeight weight = FindingWeight::kNote;
    std::string summary;               ///< one clause: what is the case
    std::string detail;                ///< why it matters; whole sentences, may be empty
    std::vector<std::string> objects;  ///< "database app: table s.t, column c"
    std::vector<std::string> cures;    ///< statements (with their database) or commands, to be typed as they are

    bool operator==(const UpgradeFinding&) const = default;
};

/// Put the heaviest first; findings of one weight stay in their order.
void sort_by_weight(std::vector<UpgradeFinding>& findings);

}  // namespace steward
