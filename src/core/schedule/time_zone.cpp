#include "core/schedule/time_zone.h"

// As Debian builds the library: the layout of its classes depends on it.
#ifndef USE_OS_TZDB
#define USE_OS_TZDB 1
#endif
#include <date/tz.h>

#include <algorithm>
#include <exception>

#include "core/base/format.h"

namespace steward {

using namespace std::chrono;

namespace {

bool same_but_case(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

/// The names of the database, or nothing when it cannot be found: the library throws then, and tries again at the next call.
const std::vector<date::time_zone>* zones_of_database() {
    try {
        return &date::get_tzdb().zones;
    } catch (const std::exception&) {
        return nullptr;
    }
}

/// Make the library read the zone's file, which it puts off until the zone is asked for something. Returns its complaint.
std::string load_zone(const date::time_zone& zone) {
    try {
        zone.get_info(date::sys_seconds{});
        return {};
    } catch (const std::exception& problem) {
        return problem.what();
    }
}

}  // namespace

Result<TimeZone> find_time_zone(std::string_view name) {
    if (same_but_case(name, "UTC")) return TimeZone::utc();
    const auto* zones = zones_of_database();
    if (zones == nullptr || zones->empty())
        return Error(ErrorCode::not_found, formatted("could not find time zone \"{}\": there is no time zone database", name))
            .detail("Time zones are read from \"/usr/share/zoneinfo\".")
            .hint("Install the package \"tzdata\" and restart, or use the time zone \"UTC\".");
    const auto zone = std::ranges::find_if(*zones, [&](const date::time_zone& z) { return same_but_case(z.name(), name); });
    if (zone == zones->end())
        return Error(ErrorCode::invalid_argument, formatted("time zone \"{}\" does not exist", name))
            .hint("Use a name like \"Europe/Berlin\" or \"UTC\"; the view pg_timezone_names lists them.");
    const std::string problem = load_zone(*zone);
    if (!problem.empty())
        return Error(ErrorCode::corrupt_object, formatted("could not read the file of time zone \"{}\": {}", zone->name(), problem))
            .hint("Install the package \"tzdata\" again, or use the time zone \"UTC\".");
    return TimeZone(zone->name(), &*zone);
}

ZoneSpan TimeZone::span_at(TimePoint time) const {
    if (zone_ == nullptr) return {TimePoint::min(), TimePoint::max(), seconds(0)};
    const date::sys_info info = zone_->get_info(floor<seconds>(time));
    return {info.begin, info.end, info.offset};
}

}  // namespace steward
