#include "core/storage/retry_storage.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "core/base/format.h"

namespace steward {

void SteadyRetryTimer::wait(std::chrono::milliseconds duration, const CancelToken& cancel) {
    std::mutex mutex;
    std::condition_variable_any never_notified;
    std::unique_lock lock(mutex);
    never_notified.wait_for(lock, cancel, duration, [] { return false; });
}

RetryStorage::RetryStorage(std::unique_ptr<Storage> inner, RetryPolicy policy, RetryTimer& timer, CancelToken cancel)
    : inner_(std::move(inner)), policy_(policy), timer_(timer), cancel_(std::move(cancel)) {}

template <typename Call>
auto RetryStorage::persist(Call call) -> decltype(call()) {
    const auto deadline = timer_.now() + policy_.total;
    std::chrono::milliseconds pause = policy_.first_wait;
    for (int attempts = 1;; ++attempts) {
        auto result = call();
        if (result.ok() || !result.error().retryable() || result.error().code() == ErrorCode::no_space) return result;
        if (timer_.now() + pause > deadline)
            return std::move(result).context([&] { return formatted("while giving up after attempt {}", attempts); });
        timer_.wait(pause, cancel_);
        if (cancel_.stop_requested()) return check_cancel(cancel_).error();
        pause = std::min(pause * 2, policy_.longest_wait);
    }
}

Result<PutOutcome> RetryStorage::put(std::string_view key, std::span<const ByteView> parts, PutMode mode) {
    return persist([&] { return inner_->put(key, parts, mode); });
}

Result<Bytes> RetryStorage::read(std::string_view key, uint64_t offset, uint64_t length) {
    return persist([&] { return inner_->read(key, offset, length); });
}

Result<std::optional<ObjectInfo>> RetryStorage::stat(std::string_view key) {
    return persist([&] { return inner_->stat(key); });
}

Result<ListPage> RetryStorage::list(std::string_view prefix, std::string_view page, size_t limit) {
    return persist([&] { return inner_->list(prefix, page, limit); });
}

Result<void> RetryStorage::remove(std::string_view key) {
    return persist([&] { return inner_->remove(key); });
}

Result<void> RetryStorage::remove_stale_uploads(TimePoint older_than) {
    return persist([&] { return inner_->remove_stale_uploads(older_than); });
}

}  // namespace steward
