#include "core/backup/rate_limit.h"

#include <algorithm>

namespace steward {

using namespace std::chrono_literals;

namespace {

constexpr auto kMadeUpFor = 100ms;

}  // namespace

RateLimit::RateLimit(uint64_t bytes_per_second, RetryTimer& timer) : bytes_per_second_(bytes_per_second), timer_(timer), free_from_(timer.now()) {}

RateLimit::Time RateLimit::reserve(uint64_t bytes, Time now) {
    const std::chrono::duration<double> cost(static_cast<double>(bytes) / static_cast<double>(bytes_per_second_));
    const std::lock_guard lock(mutex_);
    const Time begin = std::max(free_from_, now - kMadeUpFor);
    free_from_ = begin + std::chrono::duration_cast<Time::duration>(cost);
    return begin;
}

Result<void> RateLimit::take(uint64_t bytes, const CancelToken& cancel) {
    if (bytes_per_second_ == 0) return {};
    const Time now = timer_.now();
    if (const Time begin = reserve(bytes, now); begin > now) timer_.wait(std::chrono::ceil<std::chrono::milliseconds>(begin - now), cancel);
    return check_cancel(cancel);
}

}  // namespace steward
