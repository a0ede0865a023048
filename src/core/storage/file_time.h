// A file's time stamp in our own resolution.
#pragma once

#include <sys/stat.h>

#include <chrono>

#include "core/base/clock.h"

namespace steward {

/// Return when the file's content was last written, by the clock of its file system's host.
inline TimePoint modification_time(const struct stat& st) {
    const auto since_epoch = std::chrono::seconds(st.st_mtim.tv_sec) + std::chrono::nanoseconds(st.st_mtim.tv_nsec);
    return TimePoint(std::chrono::floor<std::chrono::microseconds>(since_epoch));
}

}  // namespace steward
