// Named restore points, so that they are known without the server and without reading WAL.
#pragma once

#include <string>
#include <vector>

#include "core/repository/record_list.h"

namespace steward {

struct RecordedRestorePoint {
    std::string name;       ///< 1 to 63 bytes; not unique
    std::string note;       ///< free text, may be empty
    uint32_t timeline = 0;  ///< on which its WAL record is
    Lsn lsn;                ///< end of that record, exclusive: what pg_create_restore_point returns
    TimePoint time{};

    bool operator==(const RecordedRestorePoint&) const = default;
};

/// Record a restore point whose WAL record exists. Durable on return. kAlreadyStored when this position is recorded already: a repeated
/// call changes nothing. Errors: as Repository::store.
Result<StoreOutcome> record_restore_point(const Repository& repository, const RecordedRestorePoint& point);

/// Reads the restore points of a repository; remembers what it has read. For one thread and one repository.
class RestorePoints {
public:
    /// All of them, in the order of (timeline, LSN). Errors: as RecordList::read.
    Result<std::vector<RecordedRestorePoint>> read(const Repository& repository);
    /// Records that could not be understood at the last read.
    const std::vector<Error>& damaged() const { return damaged_; }

private:
    RecordList records_{ObjectKind::kRestorePoint};
    std::vector<Error> damaged_;
};

}  // namespace steward
