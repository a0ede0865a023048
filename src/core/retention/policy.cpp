#include "core/retention/policy.h"

#include <algorithm>
#include <charconv>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr unsigned kLargestNumber = 999'999;

struct CalendarItem {
    std::string_view name;
    unsigned RetentionPolicy::*member;
};
constexpr CalendarItem kCalendarItems[] = {
    {"daily", &RetentionPolicy::daily},
    {"weekly", &RetentionPolicy::weekly},
    {"monthly", &RetentionPolicy::monthly},
    {"yearly", &RetentionPolicy::yearly},
};

struct WindowUnit {
    std::string_view name;
    std::chrono::hours length;
};
constexpr WindowUnit kWindowUnits[] = {{"h", std::chrono::hours(1)}, {"d", std::chrono::days(1)}, {"w", std::chrono::weeks(1)}};

Error bad_item(std::string_view item, std::string detail) {
    return Error(ErrorCode::invalid_argument, formatted("invalid item \"{}\" in retention policy", item))
        .object(std::string(item))
        .detail(std::move(detail))
        .hint("Write for example \"7, 30d, weekly=4\": the newest 7 backups, every moment of the last 30 days, "
              "and one backup of each of 4 weeks.");
}

Error not_understood(std::string_view item) {
    return bad_item(item, "An item is a count (\"7\"), a window in hours, days or weeks (\"12h\", \"30d\", \"8w\"), or one of \"daily\", "
                          "\"weekly\", \"monthly\" and \"yearly\" with \"=\" and a number, without blanks.");
}

Result<unsigned> parse_number(std::string_view item, std::string_view digits) {
    unsigned number = 0;
    const auto [end, problem] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (problem == std::errc::invalid_argument || end != digits.data() + digits.size()) return not_understood(item);
    if (problem == std::errc() && number == 0) return bad_item(item, "It would keep nothing. Leave it out instead.");
    if (problem != std::errc() || number > kLargestNumber)
        return bad_item(item, formatted("The number must be between 1 and {}.", kLargestNumber));
    return number;
}

Error repeated(std::string_view item, std::string_view what) { return bad_item(item, formatted("The {} is given twice.", what)); }

Result<void> add_calendar_rule(RetentionPolicy& policy, std::string_view item, size_t equals) {
    for (const auto& [name, member] : kCalendarItems) {
        if (item.substr(0, equals) != name) continue;
        if (policy.*member != 0) return repeated(item, formatted("number of {} backups", name));
        TRY_ASSIGN(policy.*member, parse_number(item, item.substr(equals + 1)));
        return {};
    }
    return not_understood(item);
}

Result<void> add_window(RetentionPolicy& policy, std::string_view item, size_t digits) {
    for (const auto& [name, length] : kWindowUnits) {
        if (item.substr(digits) != name) continue;
        if (policy.window) return repeated(item, "window");
        TRY_ASSIGN(const unsigned number, parse_number(item, item.substr(0, digits)));
        policy.window = number * length;
        return {};
    }
    return not_understood(item);
}

Result<void> add_item(RetentionPolicy& policy, std::string_view item) {
    if (const size_t equals = item.find('='); equals != item.npos) return add_calendar_rule(policy, item, equals);
    const size_t digits = item.find_first_not_of("0123456789");
    if (digits == 0) return not_understood(item);
    if (digits != item.npos) return add_window(policy, item, digits);
    if (policy.count) return repeated(item, "count");
    TRY_ASSIGN(policy.count, parse_number(item, item));
    return {};
}

}  // namespace

Result<RetentionPolicy> parse_retention(std::string_view text) {
    constexpr std::string_view kSeparators = ", \t\r\n";
    RetentionPolicy policy;
    for (;;) {
        text.remove_prefix(std::min(text.find_first_not_of(kSeparators), text.size()));
        if (text.empty()) return policy;
        const std::string_view item = text.substr(0, text.find_first_of(kSeparators));
        text.remove_prefix(item.size());
        TRY(add_item(policy, item));
    }
}

std::string window_text(std::chrono::hours window) {
    const auto whole_days = std::chrono::floor<std::chrono::days>(window);
    return whole_days == window ? formatted("{}d", whole_days.count()) : formatted("{}h", window.count());
}

std::string to_string(const RetentionPolicy& policy) {
    std::string text;
    const auto add = [&](std::string_view item) {
        if (!text.empty()) text += ", ";
        text += item;
    };
    if (policy.count) add(std::to_string(*policy.count));
    if (policy.window) add(window_text(*policy.window));
    for (const auto& [name, member] : kCalendarItems)
        if (policy.*member != 0) add(formatted("{}={}", name, policy.*member));
    return text;
}

}  // namespace steward
