// Time zones: the offsets from UTC that a place has had and will have.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace date {
class time_zone;
}

namespace steward {

/// A stretch of time with one offset from UTC.
struct ZoneSpan {
    TimePoint begin;              ///< inclusive; far in the past when there is no transition before
    TimePoint end;                ///< exclusive, the next transition; far in the future when none is known
    std::chrono::seconds offset;  ///< what local time is ahead of UTC; negative in the west
};

/// A time zone. A value, cheap to copy; may be used by several threads at once.
class TimeZone {
public:
    static TimeZone utc() { return TimeZone("UTC", nullptr); }

    /// As the database spells it.
    const std::string& name() const { return name_; }

    /// The stretch around `time`. Reads no file. Rules are known until the end of 2037, where the database's lists of transitions
    /// end; from then on a zone keeps the offset that it has. O(log transitions).
    ZoneSpan span_at(TimePoint time) const;

private:
    friend Result<TimeZone> find_time_zone(std::string_view name);
    TimeZone(std::string name, const date::time_zone* zone) : name_(std::move(name)), zone_(zone) {}

    std::string name_;
    const date::time_zone* zone_;  ///< in the database, which lives as long as the process; null for UTC
};

/// Find a zone by its name in the system's time zone database, for example "Europe/Berlin"; case does not matter, as in
/// PostgreSQL. "UTC" is found without a database.
///
/// The first call reads the names in the database (/usr/share/zoneinfo), the first for a zone its file; both are kept, so that a newer
/// database takes effect in the next process. This is the one place of the room that does I/O. Any thread.
/// Errors: invalid_argument for a name that is not there, not_found without a database, corrupt_object for a file that is not
/// a zone's.
Result<TimeZone> find_time_zone(std::string_view name);

}  // namespace steward
