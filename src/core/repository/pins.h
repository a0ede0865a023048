// Pins: backups that stay whatever the retention policy says.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/clock.h"
#include "core/repository/repository.h"

namespace steward {

struct Pin {
    std::string label;  ///< of the backup
    std::string note;   ///< the operator's, or empty
    std::optional<TimePoint> pinned;
};

/// Pin the backup `label`, which must be there. Pinning again gives it the new note. Durable on return. The caller holds a lease, so that
/// no expiry that has not seen the pin runs. Errors: not_found when there is no such backup; as Storage.
Result<void> pin_backup(const Repository& repository, std::string_view label, std::string_view note, const Clock& clock);

/// Remove the pin of `label`; none is fine. Errors: invalid_argument for a bad label; as Storage::remove.
Result<void> unpin_backup(const Repository& repository, std::string_view label);

/// The pinned labels, in order, without reading the pins. A damaged pin pins all the same. Errors: as Storage::list.
Result<std::vector<std::string>> list_pinned(const Repository& repository);

/// Read one pin. A damaged one has neither note nor time. Nothing when the backup is not pinned. Errors: as Storage::read.
Result<std::optional<Pin>> load_pin(const Repository& repository, std::string_view label);

}  // namespace steward
