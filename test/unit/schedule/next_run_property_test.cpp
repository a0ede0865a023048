// next_run against a reference that knows nothing of it: C's localtime, a walk from minute to minute, and a reading of cron's
// fields value by value.
#include <gtest/gtest.h>
#include <stdlib.h>
#include <time.h>

#include <algorithm>
#include <cctype>
#include <map>
#include <random>
#include <set>
#include <sstream>

#include "core/base/format.h"
#include "core/schedule/next_run.h"

namespace steward {
namespace {

using Random = std::mt19937_64;

/// Minutes east of UTC, for each minute of a window of real time, from the C library.
class ReferenceZone {
public:
    ReferenceZone(const std::string& name, int64_t first_minute, int64_t minutes) : first_(first_minute) {
        const char* before = getenv("TZ");
        const std::string saved = before ? before : "";
        setenv("TZ", name.c_str(), 1);
        tzset();
        // A quarter of an hour at a time, where both of its ends have the same offset.
        for (int64_t m = first_; m < first_ + minutes; m += 15) {
            const bool changes = offset_at(m) != offset_at(m + 14);
            const int16_t steady = offset_at(m);
            for (int64_t each = m; each < m + 15; ++each) offsets_.push_back(changes ? offset_at(each) : steady);
        }
        before ? setenv("TZ", saved.c_str(), 1) : unsetenv("TZ");
        tzset();
    }
    int64_t first() const { return first_; }
    int64_t size() const { return static_cast<int64_t>(offsets_.size()); }
    /// Local time of minute `m` of the window, as minutes since 1970-01-01 00:00 local time.
    int64_t local(int64_t m) const { return first_ + m + offsets_[static_cast<size_t>(m)]; }

private:
    static int16_t offset_at(int64_t minute) {
        const time_t t = minute * 60;
        tm local{};
        localtime_r(&t, &local);
        return static_cast<int16_t>(local.tm_gmtoff / 60);
    }

    int64_t first_;
    std::vector<int16_t> offsets_;
};

int reference_number(std::string text) {
    static const std::map<std::string, int> names = {{"jan", 1}, {"feb", 2}, {"mar", 3},  {"apr", 4},  {"may", 5},  {"jun", 6}, {"jul", 7},
                                                     {"aug", 8}, {"sep", 9}, {"oct", 10}, {"nov", 11}, {"dec", 12}, {"sun", 0}, {"mon", 1},
                                                     {"tue", 2}, {"wed", 3}, {"thu", 4},  {"fri", 5},  {"sat", 6}};
    for (char& c : text) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return names.contains(text) ? names.at(text) : std::stoi(text);
}

/// Whether a field names a value. `lowest` and `highest` are what "*" spans.
bool reference_names(const std::string& field, int value, int lowest, int highest) {
    std::istringstream items(field);
    for (std::string item; std::getline(items, item, ',');) {
        int step = 1, from = lowest, to = highest;
        if (const size_t slash = item.find('/'); slash != std::string::npos) {
            step = std::stoi(item.substr(slash + 1));
            item.resize(slash);
        }
        if (const size_t dash = item.find('-'); dash != std::string::npos) {
            from = reference_number(item.substr(0, dash));
            to = reference_number(item.substr(dash + 1));
        } else if (item != "*") {
            from = to = reference_number(item);
        }
        if (value >= from && value <= to && (value - from) % step == 0) return true;
    }
    return false;
}

class ReferenceSchedule {
public:
    explicit ReferenceSchedule(const std::string& expression) {
        std::istringstream in(expression);
        in >> minute_ >> hour_ >> day_ >> month_ >> weekday_;
        for (int m = 0; m < 1440; ++m) minutes_.push_back(reference_names(hour_, m / 60, 0, 23) && reference_names(minute_, m % 60, 0, 59));
    }
    bool by_real_time() const { return hour_[0] == '*'; }
    bool names(int64_t local_minute) {
        if (!minutes_[static_cast<size_t>(local_minute % 1440)]) return false;
        const int64_t day = local_minute / 1440;
        if (day != known_day_) {
            known_day_ = day;
            known_ = names_day(day);
        }
        return known_;
    }

private:
    bool names_day(int64_t day) const {
        const time_t t = day * 86400;
        tm date{};
        gmtime_r(&t, &date);
        if (!reference_names(month_, date.tm_mon + 1, 1, 12)) return false;
        const bool by_day = reference_names(day_, date.tm_mday, 1, 31);
        const bool by_weekday = reference_names(weekday_, date.tm_wday, 0, 6) || (date.tm_wday == 0 && reference_names(weekday_, 7, 0, 6));
        const bool either = day_[0] != '*' && weekday_[0] != '*';
        return either ? by_day || by_weekday : by_day && by_weekday;
    }

    std::string minute_, hour_, day_, month_, weekday_;
    std::vector<char> minutes_;
    int64_t known_day_ = -1;
    bool known_ = false;
};

/// All runs in the window, as minutes since the epoch.
std::vector<int64_t> reference_runs(const std::string& expression, const ReferenceZone& zone) {
    ReferenceSchedule schedule(expression);
    std::vector<int64_t> runs;
    int64_t furthest = zone.local(0) - 1;  // the latest local minute that was met or skipped
    for (int64_t m = 0; m < zone.size(); ++m) {
        const int64_t local = zone.local(m);
        bool run = false;
        if (schedule.by_real_time()) {
            run = schedule.names(local);
        } else {
            for (int64_t l = furthest + 1; l <= local; ++l) run = schedule.names(l) || run;
        }
        furthest = std::max(furthest, local);
        if (run) runs.push_back(zone.first() + m);
    }
    return runs;
}

int between(Random& random, int low, int high) { return std::uniform_int_distribution<int>(low, high)(random); }

/// A random field; `low` and `high` are what its values span, `narrow_high` what most of them do.
std::string random_field(Random& random, int low, int high, int narrow_high, int percent_of_stars) {
    if (between(random, 1, 100) <= percent_of_stars) {
        const int step = between(random, 1, std::max(2, (high - low) / 2));
        return between(random, 0, 1) ? "*" : formatted("*/{}", step);
    }
    std::string field;
    for (int items = between(random, 0, 3) ? 1 : between(random, 2, 4); items > 0; --items) {
        const int top = between(random, 0, 2) ? narrow_high : high;
        const int a = between(random, low, top), b = between(random, a, top);
        if (!field.empty()) field += ',';
        switch (between(random, 0, 3)) {
            case 0: field += formatted("{}-{}", a, b); break;
            case 1: field += formatted("{}-{}/{}", a, b, between(random, 1, high - low)); break;
            default: field += formatted("{}", a);
        }
    }
    return field;
}

std::string with_names(Random& random, const std::string& field, const std::vector<std::string>& names) {
    if (field.find_first_of("*/") != std::string::npos || between(random, 0, 1)) return field;
    std::string text;
    std::string number;
    for (const char c : field + ",") {
        if (std::isdigit(static_cast<unsigned char>(c))) {
            number += c;
            continue;
        }
        const size_t n = std::stoul(number);
        text += n < names.size() ? names[n] : number;
        text += c;
        number.clear();
    }
    text.pop_back();
    return text;
}

std::string random_expression(Random& random) {
    const std::vector<std::string> months = {"0", "jan", "FEB", "mar", "Apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
    const std::vector<std::string> days = {"0", "Mon", "tue", "wed", "thu", "FRI", "sat"};
    const std::string minute = random_field(random, 0, 59, 59, 40), hour = random_field(random, 0, 23, 4, 35);
    const std::string day = random_field(random, 1, 31, 31, 60), month = with_names(random, random_field(random, 1, 12, 12, 75), months);
    return formatted("{} {} {} {} {}", minute, hour, day, month, with_names(random, random_field(random, 0, 7, 6, 65), days));
}

int64_t minute_of(std::string_view time) { return std::chrono::floor<std::chrono::minutes>(*parse_time(time)).time_since_epoch().count(); }
TimePoint time_of(int64_t minute) { return TimePoint(std::chrono::minutes(minute)); }

/// Minutes of the window near a change of the offset: where mistakes are.
std::vector<int64_t> transitions_of(const ReferenceZone& zone) {
    std::vector<int64_t> minutes;
    for (int64_t m = 1; m < zone.size(); ++m)
        if (zone.local(m) != zone.local(m - 1) + 1) minutes.push_back(m);
    return minutes;
}

void compare(const std::string& expression, const TimeZone& zone, const ReferenceZone& reference, Random& random) {
    const auto schedule = parse_schedule(expression);
    ASSERT_TRUE(schedule.ok()) << schedule.error().to_string();
    const std::vector<int64_t> runs = reference_runs(expression, reference);
    const std::vector<int64_t> transitions = transitions_of(reference);
    for (int i = 0; i < 60; ++i) {
        int64_t m = between(random, 0, static_cast<int>(reference.size()) - 1);
        if (i % 3 != 0 && !transitions.empty()) {
            const int64_t change = transitions[static_cast<size_t>(between(random, 0, static_cast<int>(transitions.size()) - 1))];
            m = std::clamp<int64_t>(change + between(random, -200, 200), 0, reference.size() - 1);
        }
        // Just before, at, and within the minute.
        const int64_t after = reference.first() + m;
        const TimePoint asked = time_of(after) + std::chrono::microseconds(between(random, -1, 1));
        const auto expected = std::ranges::lower_bound(runs, asked < time_of(after) ? after : after + 1);
        if (expected == runs.end()) continue;
        const auto found = next_run(*schedule, zone, asked);
        ASSERT_TRUE(found);
        ASSERT_EQ(format_time(*found), format_time(time_of(*expected)))
            << "\"" << expression << "\" in " << zone.name() << " after " << format_time(asked);
    }
    // And one after the other, through a change if there is one.
    const int64_t begin = reference.first() + (transitions.empty() ? 0 : transitions[transitions.size() / 2] - 300);
    auto expected = std::ranges::upper_bound(runs, begin);
    for (const TimePoint found : next_runs(*schedule, zone, time_of(begin), 300)) {
        if (expected == runs.end()) break;
        ASSERT_EQ(format_time(found), format_time(time_of(*expected++))) << "\"" << expression << "\" in " << zone.name();
    }
}

struct Place {
    const char* zone;
    const char* from;
    int years;
};

class NextRunProperty : public ::testing::TestWithParam<Place> {};

TEST_P(NextRunProperty, AgreesWithAWalkFromMinuteToMinute) {
    const Place place = GetParam();
    Random random(static_cast<uint64_t>(minute_of(place.from)));
    const auto zone = find_time_zone(place.zone);
    ASSERT_TRUE(zone.ok()) << zone.error().to_string();
    const ReferenceZone reference(place.zone, minute_of(place.from), int64_t{place.years} * 366 * 1440);
    int compared = 0;
    while (compared < 12) {
        const std::string expression = random_expression(random);
        // Days that no year has are refused, and have their own test.
        const auto schedule = parse_schedule(expression);
        if (!schedule.ok() && schedule.error().message().ends_with("never comes")) continue;
        compare(expression, *zone, reference, random);
        if (HasFatalFailure()) return;
        ++compared;
    }
}

constexpr Place kPlaces[] = {
    {"UTC", "2027-01-01T00:00:00Z", 2},
    {"Europe/Berlin", "2026-01-01T00:00:00Z", 3},
    {"America/New_York", "2005-06-01T00:00:00Z", 3},     // other rules from 2007 on
    {"Australia/Lord_Howe", "2034-03-01T00:00:00Z", 3},  // half an hour
    {"Pacific/Apia", "2010-06-01T00:00:00Z", 3},         // a day that was left out
    {"Asia/Kathmandu", "1985-01-01T00:00:00Z", 2},       // a quarter of an hour, for good
    {"Africa/Casablanca", "2027-01-01T00:00:00Z", 2},    // four changes a year
    {"America/St_Johns", "2009-01-01T00:00:00Z", 3},     // one minute past midnight
    {"Pacific/Kwajalein", "1993-01-01T00:00:00Z", 2},    // a day that was left out
    {"Antarctica/Troll", "2023-01-01T00:00:00Z", 2},     // two hours
    {"America/Caracas", "2007-01-01T00:00:00Z", 2},      // half an hour back, without a summer
};

INSTANTIATE_TEST_SUITE_P(Zones, NextRunProperty, ::testing::ValuesIn(kPlaces));

}  // namespace
}  // namespace steward
