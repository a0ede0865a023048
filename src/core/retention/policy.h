// What the operator wants to be kept: the value of steward.retention.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

#include "core/base/result.h"

namespace steward {

/// Rules that keep backups. Each keeps by itself: a backup stays as long as one of them wants it. Without any rule nothing is
/// ever removed.
struct RetentionPolicy {
    std::optional<unsigned> count = {};             ///< the newest so many backups
    std::optional<std::chrono::hours> window = {};  ///< every moment of the last so many hours stays reachable
    unsigned daily = 0;                        ///< one backup of each of the last so many days that have one; 0 is no such rule
    unsigned weekly = 0;
    unsigned monthly = 0;
    unsigned yearly = 0;

    bool operator==(const RetentionPolicy&) const = default;
    bool empty() const { return !count && !window && daily == 0 && weekly == 0 && monthly == 0 && yearly == 0; }
};

/// Parse items separated by commas or blanks, in any order, each at most once: a count ("7"), a window in hours, days or weeks
/// ("12h", "30d", "8w"), and "daily=7", "weekly=4", "monthly=12", "yearly=5". Numbers are 1 to 999999: a rule that keeps nothing is
/// left out instead. A text without items is the empty policy. Errors: invalid_argument naming the item, with an example as hint.
Result<RetentionPolicy> parse_retention(std::string_view text);

/// The policy as parse_retention reads it, in a fixed order: "7, 30d, weekly=4". The window is in days where it is whole days.
std::string to_string(const RetentionPolicy& policy);

/// The window alone: "30d", "12h".
std::string window_text(std::chrono::hours window);

}  // namespace steward
