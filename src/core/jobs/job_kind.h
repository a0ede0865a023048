// The jobs that an upkeep engine runs.
#pragma once

#include <array>
#include <cstddef>
#include <optional>
#include <string_view>

namespace steward {

/// One run of each kind may be in progress; kinds run side by side.
enum class JobKind : int { kExpire, kVerify, kDrill, kKeep, kRestorePoint, kUpgradeCheck };

/// Their names, in the order of the values.
inline constexpr std::array<std::string_view, 6> kJobNames = {"expire", "verify", "drill", "keep", "restore_point", "upgrade_check"};
inline constexpr size_t kJobKindCount = kJobNames.size();

constexpr std::string_view name_of(JobKind kind) { return kJobNames[static_cast<size_t>(kind)]; }

/// Whether it works on the repositories, which have to be set then.
constexpr bool needs_repositories(JobKind kind) { return kind != JobKind::kUpgradeCheck; }

/// The kind called `name`, if there is one.
constexpr std::optional<JobKind> job_kind_named(std::string_view name) {
    for (size_t i = 0; i < kJobKindCount; ++i)
        if (kJobNames[i] == name) return static_cast<JobKind>(i);
    return std::nullopt;
}

}  // namespace steward
