// Whether an expiry is owed to a backup that the schedule has taken.
//
// It is found in the history and not remembered anywhere else, so that the server may end at any moment between the two.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/clock.h"
#include "core/jobs/job_record.h"

namespace steward {

/// As in the history.
inline constexpr std::string_view kExpiryName = "expire";

/// What the history tells of scheduled backups and of the expiries that follow them. Plain data.
struct ExpiryDebt {
    uint64_t backup = 0;     ///< number of the newest scheduled backup that succeeded; 0: none
    TimePoint backup_ended;  ///< by the clock at its end
    uint64_t expiry = 0;     ///< number of the newest scheduled expiry that came to an end of its own, whatever its result

    /// Take a record into account; the records of one run come in the order in which they were written. Pure.
    void note(const JobRecord& record);
};

/// Whether an expiry is to run now. `policy_since` is when the retention policy was first seen as it is: nothing without a policy.
///
/// - One expiry follows each scheduled backup. One that failed is not repeated before the next backup; one that the server's end cut
///   short is. Numbers tell what came later, so that a clock that is set back repeats nothing.
/// - A policy that is new removes nothing before the next scheduled backup: who has mistyped it has time to see that.
///
/// In recovery, and while an expiry runs, nothing is to run whatever is owed. Pure.
bool expiry_is_owed(const ExpiryDebt& debt, const std::optional<TimePoint>& policy_since, TimePoint now);

}  // namespace steward
