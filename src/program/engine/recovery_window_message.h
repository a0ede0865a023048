// What the server shows of the recovery window.
#pragma once

#include "core/protocol/messages.h"
#include "core/restore/restore_facts.h"

namespace steward {

/// The rows of steward.recovery_window, steward.wal_gaps and steward.restore_points: newest first, the newest kMaxWindowRows of each.
/// `has_predecessor`: the cluster goes on for another one, whose backups are not its own, so that it owes one as long as it has none. Pure.
RecoveryWindowMessage recovery_window_message(const RestoreFacts& facts, bool has_predecessor = false);

}  // namespace steward
