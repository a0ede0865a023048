// A store in memory that keeps the whole contract, for tests.
#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

#include "core/storage/storage.h"

namespace steward {

/// Holds objects in this process. As strict as the strictest driver (a key may not run through another), so that what
/// passes a test here works everywhere. No URL leads to it.
class MemoryStorage final : public Storage {
public:
    /// `clock` gives the objects' times and must outlive the storage.
    explicit MemoryStorage(const Clock& clock) : clock_(clock) {}

    StorageCapabilities capabilities() const override { return {.atomic_if_absent = true, .durable = false}; }
    std::string url() const override { return "memory:"; }
    Result<PutOutcome> put(std::string_view key, std::span<const ByteView> parts, PutMode mode) override;
    Result<Bytes> read(std::string_view key, uint64_t offset, uint64_t length) override;
    Result<std::optional<ObjectInfo>> stat(std::string_view key) override;
    Result<ListPage> list(std::string_view prefix, std::string_view page = {}, size_t limit = kMaxListLimit) override;
    Result<void> remove(std::string_view key) override;
    Result<void> remove_stale_uploads(TimePoint older_than) override;

private:
    struct Object {
        Bytes content;
        TimePoint modified;
    };

    /// Errors: wrong_state when another key runs through `key`'s path.
    Result<void> check_path(std::string_view key) const;
    bool has_objects_below(std::string_view key) const;

    const Clock& clock_;
    mutable std::mutex mutex_;
    std::map<std::string, Object, std::less<>> objects_;  // guarded by mutex_
};

}  // namespace steward
