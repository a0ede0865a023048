#include "core/restore/restore_progress.h"

#include <algorithm>

#include "core/base/bytes.h"
#include "core/base/format.h"

namespace steward {

namespace {

using namespace std::chrono_literals;

/// Before that, start-up and caches make any estimate wrong.
constexpr auto kEstimateAfter = 2s;

/// "1 h 05 min", "3 min 20 s", "12 s".
std::string duration_text(std::chrono::seconds duration) {
    const auto seconds = duration.count();
    if (seconds >= 3600) return formatted("{} h {:02} min", seconds / 3600, seconds / 60 % 60);
    if (seconds >= 60) return formatted("{} min {:02} s", seconds / 60, seconds % 60);
    return formatted("{} s", seconds);
}

}  // namespace

ProgressSample sample(const RestoreProgress& progress) {
    return {progress.phase, progress.total, progress.done, progress.in_bytes};
}

std::string describe(const ProgressSample& progress, std::chrono::milliseconds elapsed) {
    if (progress.total == 0) return progress.phase;
    const uint64_t done = std::min(progress.done, progress.total);
    const double share = static_cast<double>(done) / static_cast<double>(progress.total);
    std::string text = formatted("{}: {}%, ", progress.phase, static_cast<unsigned>(100 * share));
    text += progress.in_bytes ? formatted("{} of {}", pretty_size(done), pretty_size(progress.total)) : formatted("{} of {}", done, progress.total);
    if (done == 0 || elapsed < kEstimateAfter) return text;
    const std::chrono::duration<double> passed = elapsed;
    if (progress.in_bytes) text += formatted(", {}/s", pretty_size(static_cast<uint64_t>(static_cast<double>(done) / passed.count())));
    if (done == progress.total) return text;
    const auto left = std::chrono::ceil<std::chrono::seconds>(passed * ((1 - share) / share));
    return text + formatted(", {} left", duration_text(left));
}

}  // namespace steward
