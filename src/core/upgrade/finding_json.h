// Findings as programs read them.
#pragma once

#include <vector>

#include "core/base/json.h"
#include "core/upgrade/finding.h"

namespace steward {

/// An array of objects, in the order of `findings`. Their texts may be of any bytes. Pure.
Json findings_as_json(const std::vector<UpgradeFinding>& findings);

}  // namespace steward
