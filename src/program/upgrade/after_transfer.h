// What a cluster needs after its data have been carried over, before anybody uses it. Each can be done again.
#pragma once

#include "core/base/result.h"
#include "program/upgrade/upgrade_context.h"

namespace steward {

/// Step kExtensions: bring every extension to the new major's version, where there is a way. One that fails stays at its version, which
/// is said. Errors: server_raised when the catalogs cannot be asked; cancelled.
Result<void> update_extensions(const UpgradeContext& context, const UpgradeFacts& facts, PrivateServer& server);

/// Step kCollations: index anew what is sorted by a collation that is of another version here, and note the version. Errors: server_raised;
/// cancelled.
Result<void> renew_collations(const UpgradeContext& context, const UpgradeFacts& facts, int major, PrivateServer& server);

/// Step kStatistics: analyze everything, or from 18 on what came without statistics. In one pass: nobody waits for a first, rough one while the
/// server is private. Errors: server_raised; cancelled.
Result<void> make_statistics(const UpgradeContext& context, int major, PrivateServer& server);

}  // namespace steward
