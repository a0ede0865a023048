// What facts tell about an upgrade: the answers.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/upgrade/catalog_checks.h"
#include "core/upgrade/cluster_facts.h"
#include "core/upgrade/finding.h"

namespace steward {

/// Judge what can be judged without the new major's programs: signal files, tablespaces, what was left by an earlier upgrade. Pure.
std::vector<UpgradeFinding> check_old_cluster(const OldClusterFacts& old, const UpgradeHop& hop);

/// Judge what the new major has for the old cluster: libraries, extensions, settings. Pure.
std::vector<UpgradeFinding> check_new_major(const OldClusterFacts& old, const NewMajorFacts& offered);

/// The libraries that the old cluster's configuration has loaded at its start, without directories and suffixes. Pure.
std::set<std::string> preloaded_libraries(const OldClusterFacts& old);

/// The last part of "$libdir/hstore.so", without the suffix. Pure.
std::string library_base(std::string_view library);

/// Whether the message of a library that could not be loaded says that it wants to be loaded at the server's start. Pure.
bool wants_preloading(std::string_view error);

/// A path as an argument in a shell. Pure.
std::string quote_for_shell(std::string_view path);

/// Say when no method can carry the data over, and otherwise nothing. Pure.
std::vector<UpgradeFinding> check_methods(const std::vector<MethodVerdict>& verdicts);

}  // namespace steward
