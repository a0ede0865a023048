// What the server shows of the recovery window.
#pragma once

#include "core/protocol/messages.h"
#include "core/restore/restore_facts.h"

namespace steward {

/// The rows of steward.recovery_window, steward.wal_gaps and steward.restore_points: newest first, the newest kMaxWindowRows of each. Pure.
RecoveryWindowMessage recovery_window_message(const RestoreFacts& facts);

}  // namespace steward
