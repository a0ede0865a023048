// A storage that fails when it is told to, for tests of what stands above.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "core/storage/storage.h"

namespace steward {

enum class StorageOperation { kPut, kRead, kStat, kList, kRemove, kRemoveStaleUploads };

enum class Fault {
    kRefused,     ///< nothing was done
    kLostAnswer,  ///< it was done, and the caller is told that it failed
};

/// Passes everything on, but fails the calls it was told to fail. Thread-safe; `inner` must outlive it.
class FaultyStorage final : public Storage {
public:
    explicit FaultyStorage(Storage& inner) : inner_(inner) {}

    /// Fail the `nth` call (1-based, counted from construction) of `operation` with `error`.
    void fail(StorageOperation operation, int nth, Error error, Fault fault = Fault::kRefused) {
        const std::lock_guard lock(mutex_);
        faults_.insert_or_assign({operation, nth}, std::pair(fault, std::move(error)));
    }
    /// Fail every call of `operation` from now on that has no fault of its own.
    void fail_always(StorageOperation operation, Error error, Fault fault = Fault::kRefused) {
        const std::lock_guard lock(mutex_);
        lasting_.insert_or_assign(operation, std::pair(fault, std::move(error)));
    }
    /// Forget all faults.
    void heal() {
        const std::lock_guard lock(mutex_);
        faults_.clear();
        lasting_.clear();
    }
    int calls(StorageOperation operation) const {
        const std::lock_guard lock(mutex_);
        const auto count = calls_.find(operation);
        return count == calls_.end() ? 0 : count->second;
    }

    StorageCapabilities capabilities() const override { return inner_.capabilities(); }
    std::string url() const override { return inner_.url(); }
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override {
        return run(StorageOperation::kPut, [&] { return inner_.put(key, parts, mode); });
    }
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override {
        return run(StorageOperation::kRead, [&] { return inner_.read(key, offset, length); });
    }
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override {
        return run(StorageOperation::kStat, [&] { return inner_.stat(key); });
    }
    Result<ListPage> list(std::string_view prefix, std::string_view page = {}, size_t limit = kMaxListLimit) override {
        return run(StorageOperation::kList, [&] { return inner_.list(prefix, page, limit); });
    }
    Result<void> remove(std::string_view key) override {
        return run(StorageOperation::kRemove, [&] { return inner_.remove(key); });
    }
    Result<void> remove_stale_uploads(TimePoint older_than) override {
        return run(StorageOperation::kRemoveStaleUploads, [&] { return inner_.remove_stale_uploads(older_than); });
    }

private:
    using Planned = std::pair<Fault, Error>;

    std::optional<Planned> next_fault(StorageOperation operation) {
        const std::lock_guard lock(mutex_);
        const int nth = ++calls_[operation];
        if (const auto fault = faults_.find({operation, nth}); fault != faults_.end()) return fault->second;
        if (const auto fault = lasting_.find(operation); fault != lasting_.end()) return fault->second;
        return std::nullopt;
    }

    template <typename Call>
    auto run(StorageOperation operation, Call call) -> decltype(call()) {
        std::optional<Planned> fault = next_fault(operation);
        if (!fault) return call();
        if (fault->first == Fault::kLostAnswer) static_cast<void>(call());
        return std::move(fault->second);
    }

    Storage& inner_;
    mutable std::mutex mutex_;
    std::map<StorageOperation, int> calls_;                       // these three guarded by mutex_
    std::map<std::pair<StorageOperation, int>, Planned> faults_;
    std::map<StorageOperation, Planned> lasting_;
};

}  // namespace steward
