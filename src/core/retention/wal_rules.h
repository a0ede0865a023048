// The rules that keep WAL.
#pragma once

#include <vector>

#include "core/retention/backup_state.h"

namespace steward {

/// Decide about every stored segment. `backups` have their reasons (apply_backup_rules). In the order of (timeline, number). Pure.
std::vector<WalVerdict> judge_wal(const ExpiryFacts& facts, const std::vector<BackupState>& backups, const Lineage& lineage,
                                  const RetentionPolicy& policy);

}  // namespace steward
