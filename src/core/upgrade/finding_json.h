// Findings as programs read them.
#pragma once

#include <vector>

#include <nlohmann/json.hpp>

#include "core/upgrade/finding.h"

namespace steward {

/// An array of objects, in the order of `findings`. Their texts may be of any bytes: dump it with error_handler_t::replace. Pure.
nlohmann::ordered_json findings_as_json(const std::vector<UpgradeFinding>& findings);

}  // namespace steward
