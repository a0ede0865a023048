// A storage that tries again where trying again may help.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/base/cancel.h"
#include "core/storage/storage.h"

namespace steward {

/// How long to go on. The n-th wait is first_wait * 2^(n-1), at most longest_wait.
struct RetryPolicy {
    std::chrono::milliseconds first_wait{200};
    std::chrono::milliseconds longest_wait{10'000};
    std::chrono::milliseconds total{60'000};  ///< from the first attempt on; no wait begins that would end after it
};

/// What passes the time between attempts; tests pass one that does not take any.
class RetryTimer {
public:
    virtual ~RetryTimer() = default;
    /// A clock that only goes forward.
    virtual std::chrono::steady_clock::time_point now() = 0;
    /// Wait, or return early when `cancel` is requested. Called from many threads at once.
    virtual void wait(std::chrono::milliseconds duration, const CancelToken& cancel) = 0;
};

/// Waits for real.
class SteadyRetryTimer final : public RetryTimer {
public:
    std::chrono::steady_clock::time_point now() override { return std::chrono::steady_clock::now(); }
    void wait(std::chrono::milliseconds duration, const CancelToken& cancel) override;
};

/// Repeats calls that failed with a retryable error; no_space, which does not go away in seconds, and everything else is
/// returned at once. When the time is used up the last error is returned with the number of attempts as context. When
/// cancellation is requested between attempts the error is `cancelled`.
///
/// A put whose answer was lost may have stored the object. Then the repeated put(kIfAbsent) reports kAlreadyExists for an
/// object of our own, and put(kReplace) kReplaced. That stays so: only the caller can tell, by comparing content, and it
/// must do that for kAlreadyExists in any case.
class RetryStorage final : public Storage {
public:
    /// `timer` must outlive the storage.
    RetryStorage(std::unique_ptr<Storage> inner, RetryPolicy policy, RetryTimer& timer, CancelToken cancel);

    StorageCapabilities capabilities() const override { return inner_->capabilities(); }
    std::string url() const override { return inner_->url(); }
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override;
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override;
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override;
    Result<ListPage> list(std::string_view prefix, std::string_view page = {}, size_t limit = kMaxListLimit) override;
    Result<void> remove(std::string_view key) override;
    Result<void> remove_stale_uploads(TimePoint older_than) override;

private:
    /// Return what `call` returns in the end.
    template <typename Call>
    auto persist(Call call) -> decltype(call());

    const std::unique_ptr<Storage> inner_;
    const RetryPolicy policy_;
    RetryTimer& timer_;
    const CancelToken cancel_;
};

}  // namespace steward
