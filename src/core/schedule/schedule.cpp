#include "core/schedule/schedule.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <span>
#include <vector>

#include "core/base/format.h"

namespace steward {

namespace {

constexpr std::string_view kMonthNames[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::string_view kDayNames[] = {"sun", "mon", "tue", "wed", "thu", "fri", "sat"};

struct Field {
    std::string_view name;
    std::string_view period;  ///< with which its values begin anew
    unsigned lowest;
    unsigned highest;                         ///< of "*"; a day of the week may also be 7
    std::span<const std::string_view> names;  ///< of the values from `lowest` on

    bool is_weekday() const { return names.data() == kDayNames; }
    unsigned highest_number() const { return is_weekday() ? 7 : highest; }
};

constexpr Field kMinute{"minute", "hour", 0, 59, {}};
constexpr Field kHour{"hour", "day", 0, 23, {}};
constexpr Field kDayOfMonth{"day of month", "month", 1, 31, {}};
constexpr Field kMonth{"month", "year", 1, 12, kMonthNames};
constexpr Field kDayOfWeek{"day of week", "week", 0, 6, kDayNames};

struct Nickname {
    std::string_view name;
    std::string_view fields;
};
constexpr Nickname kNicknames[] = {{"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},   {"@midnight", "0 0 * * *"},
                                   {"@weekly", "0 0 * * 0"},   {"@monthly", "0 0 1 * *"}, {"@yearly", "0 0 1 1 *"},
                                   {"@annually", "0 0 1 1 *"}};

constexpr std::string_view kBlanks = " \t\r\n";
constexpr std::string_view kHowToWrite =
    "Write minute, hour, day of month, month and day of week, for example \"30 2 * * *\" for 02:30 every day, or one of @hourly, "
    "@daily, @weekly, @monthly, @yearly.";

std::string lowercase(std::string_view text) {
    std::string lower(text);
    for (char& c : lower)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return lower;
}

std::vector<std::string_view> split(std::string_view text, std::string_view separators) {
    std::vector<std::string_view> parts;
    for (;;) {
        const size_t end = text.find_first_of(separators);
        parts.push_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string what_fits(const Field& field) {
    std::string text = formatted("A {} is a number from {} to {}", field.name, field.lowest, field.highest_number());
    if (field.names.empty()) return text + ".";
    text += ", or one of";
    for (const std::string_view name : field.names) text += formatted("{} {}", name == field.names.front() ? "" : ",", name);
    return text + ".";
}

/// Reads one field of an expression into a set of values.
class FieldReader {
public:
    FieldReader(std::string_view expression, const Field& field, std::string_view text)
        : expression_(expression), field_(field), text_(text) {}

    Result<uint64_t> read() const {
        uint64_t set = 0;
        for (const std::string_view item : split(text_, ",")) {
            TRY_ASSIGN(const uint64_t values, read_item(item));
            set |= values;
        }
        // Sunday has two numbers.
        if (field_.is_weekday() && (set >> 7 & 1) != 0) set = (set | 1) & 0x7f;
        return set;
    }

private:
    Result<uint64_t> read_item(std::string_view item) const {
        const size_t slash = item.find('/');
        const std::string_view range = item.substr(0, slash);
        unsigned first = field_.lowest, last = field_.highest, step = 1;
        if (range != "*") {
            const size_t dash = range.find('-');
            TRY_ASSIGN(first, read_value(range.substr(0, dash)));
            last = first;
            if (dash != std::string_view::npos) {
                TRY_ASSIGN(last, read_last(range.substr(dash + 1), first));
            } else if (slash != std::string_view::npos) {
                return wrong(formatted("has a step after the single value \"{}\"", range),
                             formatted("Write a range before the step: \"{}-{}{}\".", range, field_.highest, item.substr(slash)));
            }
            if (last < first)
                return wrong(formatted("has the range \"{}\", which ends before it begins", range),
                             "Write it as two ranges, separated by a comma.");
        }
        if (slash != std::string_view::npos) {
            TRY_ASSIGN(step, read_step(item.substr(slash + 1)));
        }
        uint64_t set = 0;
        for (unsigned value = first; value <= last; value += step) set |= uint64_t{1} << value;
        return set;
    }

    Result<unsigned> read_value(std::string_view text) const {
        const auto name = std::ranges::find(field_.names, lowercase(text));
        if (name != field_.names.end()) return field_.lowest + static_cast<unsigned>(name - field_.names.begin());
        const std::optional<unsigned> number = read_number(text);
        if (!number || *number < field_.lowest || *number > field_.highest_number())
            return wrong(formatted("has \"{}\"", text), what_fits(field_));
        return *number;
    }

    /// The end of a range: Sunday by name is the last day of a week that began on another day ("fri-sun").
    Result<unsigned> read_last(std::string_view text, unsigned first) const {
        TRY_ASSIGN(const unsigned last, read_value(text));
        return last == 0 && first > 0 && field_.is_weekday() && !read_number(text) ? 7 : last;
    }

    Result<unsigned> read_step(std::string_view text) const {
        const unsigned most = field_.highest - field_.lowest + 1;
        const std::optional<unsigned> step = read_number(text);
        if (!step || *step == 0 || *step > most)
            return wrong(formatted("has the step \"{}\"", text),
                         formatted("A step in this field is a number from 1 to {}: its values begin anew with each {}.", most, field_.period));
        return *step;
    }

    static std::optional<unsigned> read_number(std::string_view text) {
        unsigned number = 0;
        const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
        if (problem != std::errc() || end != text.data() + text.size()) return std::nullopt;
        return number;
    }

    Error wrong(std::string what, std::string cure) const {
        return Error(ErrorCode::invalid_argument, formatted("invalid schedule \"{}\"", expression_))
            .detail(formatted("Field \"{}\" {}.", field_.name, what))
            .hint(std::move(cure));
    }

    std::string_view expression_;
    const Field& field_;
    std::string_view text_;
};

/// The five fields, of which a nickname is the short form.
Result<std::vector<std::string_view>> fields_of(std::string_view expression) {
    std::string_view fields = expression;
    if (expression.starts_with('@')) {
        const auto nickname = std::ranges::find(kNicknames, lowercase(expression), &Nickname::name);
        if (nickname == std::end(kNicknames))
            return Error(ErrorCode::invalid_argument, formatted("invalid schedule \"{}\"", expression))
                .detail("There is no such short form.")
                .hint(std::string(kHowToWrite));
        fields = nickname->fields;
    }
    std::vector<std::string_view> texts = split(fields, kBlanks);
    std::erase(texts, std::string_view());
    if (texts.size() != 5)
        return Error(ErrorCode::invalid_argument, formatted("invalid schedule \"{}\"", expression))
            .detail(formatted("It has {} field{} instead of 5.", texts.size(), texts.size() == 1 ? "" : "s"))
            .hint(std::string(kHowToWrite));
    return texts;
}

/// Whether some year has one of these days in one of these months.
bool some_year_has(uint64_t days_of_month, uint64_t months) {
    constexpr unsigned kLongest[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const unsigned first_day = static_cast<unsigned>(std::countr_zero(days_of_month));
    for (unsigned month = 1; month <= 12; ++month)
        if ((months >> month & 1) != 0 && first_day <= kLongest[month - 1]) return true;
    return false;
}

}  // namespace

Result<Schedule> parse_schedule(std::string_view expression) {
    const size_t begin = std::min(expression.find_first_not_of(kBlanks), expression.size());
    expression = expression.substr(begin, expression.find_last_not_of(kBlanks) + 1 - begin);
    TRY_ASSIGN(const std::vector<std::string_view> fields, fields_of(expression));
    Schedule schedule;
    schedule.expression_ = expression;
    TRY_ASSIGN(schedule.minutes_, FieldReader(expression, kMinute, fields[0]).read());
    TRY_ASSIGN(schedule.hours_, FieldReader(expression, kHour, fields[1]).read());
    TRY_ASSIGN(schedule.days_of_month_, FieldReader(expression, kDayOfMonth, fields[2]).read());
    TRY_ASSIGN(schedule.months_, FieldReader(expression, kMonth, fields[3]).read());
    TRY_ASSIGN(schedule.days_of_week_, FieldReader(expression, kDayOfWeek, fields[4]).read());
    schedule.every_hour_ = fields[1].starts_with('*');
    schedule.either_day_ = !fields[2].starts_with('*') && !fields[4].starts_with('*');
    if (!schedule.either_day_ && !some_year_has(schedule.days_of_month_, schedule.months_))
        return Error(ErrorCode::invalid_argument, formatted("schedule \"{}\" never comes", expression))
            .detail(formatted("Field \"day of month\" has \"{}\" and field \"month\" has \"{}\": no year has such a day.", fields[2],
                              fields[3]))
            .hint("Name a day that the month has, or the first day of the next month.");
    return schedule;
}

bool Schedule::includes(std::chrono::year_month_day day) const {
    if (!includes(day.month())) return false;
    const bool by_date = has(days_of_month_, static_cast<unsigned>(day.day()));
    const bool by_weekday = has(days_of_week_, std::chrono::weekday(std::chrono::sys_days(day)).c_encoding());
    return either_day_ ? by_date || by_weekday : by_date && by_weekday;
}

std::optional<std::chrono::minutes> Schedule::next_minute(std::chrono::minutes from) const {
    using namespace std::chrono;
    unsigned hour = static_cast<unsigned>(from / hours(1));
    const uint64_t left = minutes_ >> (from % hours(1)).count();
    if (has(hours_, hour) && left != 0) return from + minutes(std::countr_zero(left));
    ++hour;
    const uint64_t later = hours_ >> hour;
    if (later == 0) return std::nullopt;
    return hours(hour + static_cast<unsigned>(std::countr_zero(later))) + minutes(std::countr_zero(minutes_));
}

}  // namespace steward
