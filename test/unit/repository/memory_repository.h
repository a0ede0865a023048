// Repositories in memory, for tests of what stands above them.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <utility>

#include "core/repository/repository.h"
#include "core/storage/memory_storage.h"
#include "storage/faulty_storage.h"

namespace steward {

/// Always the same time.
class FixedClock final : public Clock {
public:
    TimePoint now() const override { return TimePoint(std::chrono::hours(24 * 365 * 50)); }
};

/// A store that outlives the repositories on it, and whose calls can be made to fail.
struct MemoryStore {
    FixedClock clock;
    MemoryStorage memory{clock};
    FaultyStorage faulty{memory};

    /// A repository owns its storage: each gets a view of this store.
    std::unique_ptr<Storage> view() { return std::make_unique<FaultyStorage>(static_cast<Storage&>(faulty)); }
    Repository claim(const Identity& identity, const std::string& cluster = "main") {
        return Repository::open_or_claim(view(), cluster, identity, clock).value();
    }
    /// Change one byte of an object; the key exists.
    void damage(const std::string& key, size_t at) {
        Bytes content = memory.read(key, 0, UINT64_MAX).value();
        content.at(at) ^= std::byte{1};
        overwrite(key, content);
    }
    void overwrite(const std::string& key, ByteView content) {
        const ByteView parts[] = {content};
        ASSERT_TRUE(memory.put(key, parts, PutMode::kReplace).ok());
    }
};

inline constexpr Identity kTestIdentity{7300000000000000001, 17, 1024 * 1024};

}  // namespace steward
