#include "core/base/clock.h"

#include <cctype>
#include <cstdint>

#include "core/base/format.h"

namespace steward {

using namespace std::chrono;

TimePoint SystemClock::now() const { return time_point_cast<microseconds>(system_clock::now()); }

namespace {

struct CivilTime {
    year_month_day date;
    hh_mm_ss<microseconds> time;
};

CivilTime civil(TimePoint time) {
    const auto day = floor<days>(time);
    return {year_month_day(day), hh_mm_ss<microseconds>(time - day)};
}

/// Reads digits and literals off the front of a text; every step says whether it fitted.
class Scanner {
public:
    explicit Scanner(std::string_view text) : rest_(text) {}

    bool digits(size_t at_least, size_t at_most, int& value) {
        size_t n = 0;
        value = 0;
        while (n < at_most && n < rest_.size() && std::isdigit(static_cast<unsigned char>(rest_[n]))) value = value * 10 + (rest_[n++] - '0');
        rest_.remove_prefix(n);
        return n >= at_least;
    }
    bool accept(std::string_view literal) {
        if (!rest_.starts_with(literal)) return false;
        rest_.remove_prefix(literal.size());
        return true;
    }
    void skip_spaces() {
        while (!rest_.empty() && rest_.front() == ' ') rest_.remove_prefix(1);
    }
    bool at_end() const { return rest_.empty(); }

private:
    std::string_view rest_;
};

bool scan_date_and_time(Scanner& in, TimePoint& time) {
    int y, mo, d, h = 0, mi = 0, s = 0;
    if (!in.digits(4, 4, y) || !in.accept("-") || !in.digits(2, 2, mo) || !in.accept("-") || !in.digits(2, 2, d)) return false;
    if (!in.accept("T")) {
        if (!in.accept(" ")) return false;
        in.skip_spaces();
    }
    if (!in.digits(2, 2, h) || !in.accept(":") || !in.digits(2, 2, mi)) return false;
    if (in.accept(":") && !in.digits(2, 2, s)) return false;
    microseconds fraction{0};
    if (in.accept(".")) {
        int digit, n = 0;
        for (int64_t unit = 100000; in.digits(1, 1, digit); unit /= 10, ++n) fraction += microseconds(digit * unit);
        if (n == 0 || n > 6) return false;
    }
    const year_month_day date{year(y), month(static_cast<unsigned>(mo)), day(static_cast<unsigned>(d))};
    if (!date.ok() || h > 23 || mi > 59 || s > 60) return false;
    time = sys_days(date) + hours(h) + minutes(mi) + seconds(s) + fraction;
    return true;
}

bool scan_zone(Scanner& in, minutes& east) {
    east = minutes(0);
    if (in.accept("Z") || in.accept("z") || in.accept("UTC") || in.accept("GMT")) return true;
    const bool plus = in.accept("+");
    if (!plus && !in.accept("-")) return false;
    int h, m = 0;
    if (!in.digits(2, 2, h)) return false;
    if (in.accept(":")) {
        if (!in.digits(2, 2, m)) return false;
    } else if (!in.at_end() && !in.digits(2, 2, m)) {
        return false;
    }
    if (h > 15 || m > 59) return false;
    east = (plus ? 1 : -1) * (hours(h) + minutes(m));
    return true;
}

}  // namespace

std::string format_time(TimePoint time) {
    const CivilTime c = civil(time);
    return formatted("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:06}Z", static_cast<int>(c.date.year()),
                     static_cast<unsigned>(c.date.month()), static_cast<unsigned>(c.date.day()), c.time.hours().count(),
                     c.time.minutes().count(), c.time.seconds().count(), c.time.subseconds().count());
}

std::string compact_time(TimePoint time) {
    const CivilTime c = civil(time);
    return formatted("{:04}{:02}{:02}-{:02}{:02}{:02}Z", static_cast<int>(c.date.year()), static_cast<unsigned>(c.date.month()),
                     static_cast<unsigned>(c.date.day()), c.time.hours().count(), c.time.minutes().count(), c.time.seconds().count());
}

std::string unique_name(TimePoint time, uint64_t random) { return formatted("{}-{:016x}", compact_time(time), random); }

Result<TimePoint> parse_time(std::string_view text) {
    Scanner in(text);
    TimePoint time;
    if (!scan_date_and_time(in, time))
        return Error(ErrorCode::invalid_argument, formatted("invalid time \"{}\"", text))
            .hint("Write it like \"2026-11-20 13:04:43+01\" or \"2026-11-20T12:04:43Z\".");
    in.skip_spaces();
    if (in.at_end())
        return Error(ErrorCode::invalid_argument, formatted("time \"{}\" has no time zone", text))
            .hint("Add the zone as an offset, for example \"+01\", or \"Z\" for UTC.");
    minutes east;
    if (!scan_zone(in, east) || !in.at_end())
        return Error(ErrorCode::invalid_argument, formatted("invalid time zone in \"{}\"", text))
            .hint("Write the zone as an offset, for example \"+01\" or \"-03:30\", or \"Z\" for UTC.");
    return time - east;
}

}  // namespace steward
