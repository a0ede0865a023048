// The rules that keep backups.
#pragma once

#include <vector>

#include "core/retention/backup_state.h"

namespace steward {

/// Add to each backup all reasons to keep it; one without reasons goes. `backups` are those of examine_backups. Pure.
void apply_backup_rules(std::vector<BackupState>& backups, const Lineage& lineage, const ExpiryRules& rules);

/// The verdicts, in the same order. Where a policy is not empty, what no rule keeps goes.
std::vector<BackupVerdict> give_backup_verdicts(const std::vector<BackupState>& backups, const RetentionPolicy& policy);

}  // namespace steward
