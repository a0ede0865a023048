// What the server shows of a backup.
#pragma once

#include <string>

#include "core/protocol/messages.h"
#include "core/repository/backup_summary.h"

namespace steward {

/// The row of steward.backups for a backup in the repository at `url`, which is `kept` there or not.
CatalogEntry catalog_entry(const BackupSummary& summary, std::string url, bool kept);

}  // namespace steward
