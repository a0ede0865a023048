// Finds holes in stored WAL that nobody has entered into the gap ledger: what an alarm is for.
#pragma once

#include <string>
#include <vector>

#include "core/base/clock.h"
#include "core/repository/gap_ledger.h"
#include "core/restore/wal_inventory.h"

namespace steward {

/// Looks at one repository again and again. A segment counts as missing when it was not there at two looks in a row, with WAL of its
/// timeline stored on both sides, and does not wait in the local pg_wal: segments are stored side by side, so a younger one may come
/// first. Pure but for what it remembers of the look before. For one thread.
class GapWatch {
public:
    /// Return what is to be entered now, as whole ranges without what the ledger already has, in order. `ready` are the names of the files
    /// that wait to be archived, taken before `wal` was listed. A range is returned at every look until it is in `ledger`.
    std::vector<RecordedGap> look(const WalInventory& wal, const std::vector<std::string>& ready, const std::vector<RecordedGap>& ledger,
                                  TimePoint now);

private:
    WalInventory seen_{kDefaultWalSegmentSize};  ///< missing at the last look
};

}  // namespace steward
