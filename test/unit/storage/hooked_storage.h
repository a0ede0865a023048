// A storage that tells a test of every call, before and after it.
#pragma once

#include <atomic>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/storage/storage.h"
#include "storage/faulty_storage.h"

namespace steward {

/// `before` may refuse the call by returning an error. `inner` must outlive this.
class HookedStorage final : public Storage {
public:
    using Before = std::function<Result<void>(StorageOperation, std::string_view key)>;
    using After = std::function<void(StorageOperation, std::string_view key)>;

    HookedStorage(Storage& inner, Before before, After after = {}) : inner_(inner), before_(std::move(before)), after_(std::move(after)) {}

    StorageCapabilities capabilities() const override { return inner_.capabilities(); }
    std::string url() const override { return inner_.url(); }
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override {
        return run(StorageOperation::kPut, key, [&] { return inner_.put(key, parts, mode); });
    }
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override {
        return run(StorageOperation::kRead, key, [&] { return inner_.read(key, offset, length); });
    }
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override {
        return run(StorageOperation::kStat, key, [&] { return inner_.stat(key); });
    }
    Result<ListPage> list(std::string_view prefix, std::string_view page = {}, size_t limit = kMaxListLimit) override {
        return run(StorageOperation::kList, prefix, [&] { return inner_.list(prefix, page, limit); });
    }
    Result<void> remove(std::string_view key) override {
        return run(StorageOperation::kRemove, key, [&] { return inner_.remove(key); });
    }
    Result<void> remove_stale_uploads(TimePoint older_than) override {
        return run(StorageOperation::kRemoveStaleUploads, {}, [&] { return inner_.remove_stale_uploads(older_than); });
    }

private:
    template <typename Call>
    auto run(StorageOperation operation, std::string_view key, Call call) -> decltype(call()) {
        if (before_) TRY(before_(operation, key));
        auto result = call();
        if (after_) after_(operation, key);
        return result;
    }

    Storage& inner_;
    const Before before_;
    const After after_;
};

/// A clock that a test sets.
class SettableClock final : public Clock {
public:
    explicit SettableClock(TimePoint start = TimePoint(std::chrono::hours(24 * 365 * 56))) : now_(start.time_since_epoch().count()) {}
    TimePoint now() const override { return TimePoint(std::chrono::microseconds(now_)); }
    void set(TimePoint time) { now_ = time.time_since_epoch().count(); }
    void advance(std::chrono::microseconds by) { now_ += by.count(); }

private:
    std::atomic<int64_t> now_;
};

}  // namespace steward
