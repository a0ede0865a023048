// The jobs that have a schedule of their own, and since when.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "core/base/clock.h"
#include "core/base/result.h"

namespace steward {

enum class ScheduledJob : int { kBackup, kVerify, kDrill };

/// Their names, in the order of the values: as in the history, and before "_schedule" in the settings.
inline constexpr std::array<std::string_view, 3> kScheduledJobNames = {"backup", "verify", "drill"};
inline constexpr size_t kScheduledJobCount = kScheduledJobNames.size();

constexpr std::string_view name_of(ScheduledJob job) { return kScheduledJobNames[static_cast<size_t>(job)]; }

/// A schedule as the operator set it, and when this server first saw it so.
struct EnabledSchedule {
    std::string expression;
    std::string timezone;
    TimePoint since;

    bool operator==(const EnabledSchedule&) const = default;
};

/// By the job's name.
using EnabledSchedules = std::map<std::string, EnabledSchedule, std::less<>>;

/// Take over what is set now: a schedule that is new or differs was enabled `now`, one that is gone is forgotten, all others stay.
/// `since` in `set_now` is not looked at. Pure.
EnabledSchedules take_over(const EnabledSchedules& known, const EnabledSchedules& set_now, TimePoint now);

/// Read what `directory` remembers; empty when there is nothing. Errors: by errno; corrupt_object.
Result<EnabledSchedules> read_enabled_schedules(const std::filesystem::path& directory);

/// Remember it. On return it survives a crash. Makes the directory. Errors: by errno.
Result<void> write_enabled_schedules(const std::filesystem::path& directory, const EnabledSchedules& schedules);

}  // namespace steward
