// Time as an argument: nothing in the core reads a clock of its own.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace steward {

/// Microseconds since the Unix epoch, UTC: PostgreSQL's resolution.
using TimePoint = std::chrono::sys_time<std::chrono::microseconds>;

class Clock {
public:
    virtual ~Clock() = default;
    /// Wall-clock time; for records and display only. Order is by timeline and LSN, never by this.
    virtual TimePoint now() const = 0;
};

/// The machine's clock.
class SystemClock final : public Clock {
public:
    TimePoint now() const override;
};

/// "2026-11-20T11:04:43.123456Z": RFC 3339 in UTC; what the formats and JSON output hold.
std::string format_time(TimePoint time);

/// "20261120-110443Z": for names; sorts like time.
std::string compact_time(TimePoint time);

/// "20261120-110443Z-0123456789abcdef": a name for what one run stores and no other run has. Sorts like time.
/// @param random  of another value in every run, on every host
std::string unique_name(TimePoint time, uint64_t random);

/// Parse RFC 3339 or PostgreSQL's form: date, 'T' or space, time with optional fraction, and a zone that must be there
/// ("Z", "UTC", "+02", "+02:00", "-0330"). Errors: invalid_argument, with a hint when only the zone is missing.
Result<TimePoint> parse_time(std::string_view text);

}  // namespace steward
