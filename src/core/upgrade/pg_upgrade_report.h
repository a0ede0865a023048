// What "pg_upgrade --check" has to say, as findings.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/upgrade/finding.h"

namespace steward {

/// One of the lists that pg_upgrade writes of what it found: "loadable_libraries.txt".
struct PgUpgradeList {
    std::string file;  ///< its name, without directories
    std::string text;
};

struct PgUpgradeReport {
    bool content = false;
    std::string said;  ///< the last lines of its output
    std::vector<PgUpgradeList> lists;
};

/// Make findings of what pg_upgrade has found and `found` does not hold. What nobody of us knows becomes one finding of its own when
/// nothing else explains that it is not content. Pure.
std::vector<UpgradeFinding> explain_pg_upgrade(const PgUpgradeReport& report, const std::vector<UpgradeFinding>& found);

}  // namespace steward
