// The rules that keep packs.
#pragma once

#include <vector>

#include "core/retention/backup_state.h"

namespace steward {

/// Decide about every stored pack. `backups` have their reasons (apply_backup_rules). By name. Pure.
std::vector<PackVerdict> judge_packs(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const ExpiryRules& rules);

}  // namespace steward
