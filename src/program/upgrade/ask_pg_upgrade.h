// What pg_upgrade itself thinks of an upgrade.
#pragma once

#include <filesystem>
#include <string>

#include "core/base/cancel.h"
#include "core/base/result.h"
#include "core/storage/retry_storage.h"
#include "core/upgrade/pg_upgrade_report.h"
#include "program/single_user/single_user_command.h"
#include "program/upgrade/trial_cluster.h"

namespace steward {

/// Run "pg_upgrade --check" from the cluster of `old`, whose server is down, to `trial`. Both servers are started for it, on a socket in the
/// trial's directory and with the trial's pg_hba.conf, so that nobody else gets in and pg_upgrade does. Leaves the current directory for "/".
/// Errors: engine_failed; by errno; cancelled.
Result<PgUpgradeReport> ask_pg_upgrade(const SingleUserServer& old, const std::string& superuser, const TrialCluster& trial, RetryTimer& timer, const CancelToken& cancel);

}  // namespace steward
