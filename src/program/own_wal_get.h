// How a restored server gets its WAL: from this very program.
#pragma once

#include "core/base/result.h"
#include "core/restore/recovery_target.h"
#include "core/settings/settings.h"

namespace steward {

/// Return what render_restore_command needs to run this program's wal-get with these settings. Errors: by errno.
Result<WalGetCommand> own_wal_get(const Settings& settings);

}  // namespace steward
